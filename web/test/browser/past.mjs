// An issue's work with a failure in it, and the answers of the doors that tell of its past, as their contract says:
// what is answered is folded from the same events that a server is told.
const MINUTE = 60_000;

/** Minutes since nine o'clock of a day that is over, type, payload. A day in winter, so that no clock is set. */
const STORY = [
  [0, 'OrchestrationStarted', { issue_summary: 'Add user authentication', workflow_type: 'standard', initial_phase: 'EXPLORE' }],
  [0.5, 'PhaseStarted', { phase: 'EXPLORE', expected_agents: 2 }], [2, 'AgentSpawned', { agent_name: 'code-explorer', assigned_task: 'read the auth module' }],
  [4, 'AgentSpawned', { agent_name: 'doc-reader', assigned_task: 'read the issue' }], [9, 'QualityCheckStarted', { check_type: 'lint' }],
  [12, 'QualityCheckCompleted', { check_type: 'lint', passed: true }], [15, 'GapIdentified', { gap_id: 'gap-refresh', gap_type: 'missing_requirements', severity: 'medium', description: 'Nobody says how long a session lasts' }],
  [19, 'AgentCompleted', { agent_name: 'doc-reader', duration_seconds: 900 }], [21, 'AgentCompleted', { agent_name: 'code-explorer', duration_seconds: 1140 }],
  [22, 'PhaseCompleted', { phase: 'EXPLORE', next_phase: 'PLAN' }], [22.5, 'PhaseStarted', { phase: 'PLAN' }],
  [24, 'AgentSpawned', { agent_name: 'planner', assigned_task: 'plan the endpoints' }], [31, 'CommentPosted', { comment_id: '17', comment_type: 'plan' }],
  [39, 'GapResolved', { gap_id: 'gap-refresh', resolved_by: 'maria' }], [50, 'AgentCompleted', { agent_name: 'planner', duration_seconds: 1560 }],
  [55, 'CheckpointCreated', { checkpoint_id: 'checkpoint-plan', description: 'before any code' }], [56, 'PhaseCompleted', { phase: 'PLAN', next_phase: 'CODE' }],
  [56.5, 'PhaseStarted', { phase: 'CODE' }], [58, 'AgentSpawned', { agent_name: 'react-component-architect', assigned_task: 'build the login form' }],
  [61, 'AgentSpawned', { agent_name: 'api-integration-specialist', assigned_task: 'build the login endpoint' }], [64, 'QualityCheckStarted', { check_type: 'types' }],
  [66, 'QualityCheckCompleted', { check_type: 'types', passed: true }], [70, 'CommitCreated', { commit_sha: '4f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c', message: 'feat(auth): add the login endpoint' }],
  [75, 'AgentBlocked', { agent_name: 'react-component-architect', blocked_by: 'the login endpoint', blocking_agent: 'api-integration-specialist' }],
  [79, 'TestRunStarted', { test_suite: 'unit' }], [81, 'TestRunCompleted', { test_suite: 'unit', tests_passed: 42, tests_failed: 0 }],
  [85, 'CommitCreated', { commit_sha: '9fceb02d0ae598e95dc970b74767f19372d61af8', message: 'feat(auth): keep the session' }],
  [88, 'OrchestrationPaused', { pause_reason: 'awaiting a design review', current_phase: 'CODE' }],
  [343, 'OrchestrationResumed', { pause_duration_seconds: 15_300, resume_phase: 'CODE' }], [344, 'AgentSpawned', { agent_name: 'react-component-architect', assigned_task: 'build the login form' }],
  [352, 'CommentPosted', { comment_id: '18', comment_type: 'progress_update' }], [358, 'TestRunStarted', { test_suite: 'unit' }],
  [360, 'TestRunCompleted', { test_suite: 'unit', tests_passed: 51, tests_failed: 0 }], [364, 'CommitCreated', { commit_sha: 'abc123d1234567890abcdef1234567890abcdef12', message: 'feat(auth): add the login form' }],
  [369, 'AgentCompleted', { agent_name: 'react-component-architect', duration_seconds: 1500 }], [372, 'PRCreated', { pr_number: 456, pr_title: 'feat: add user authentication', pr_url: 'https://git.example/pull/456' }],
  [378, 'AgentCompleted', { agent_name: 'api-integration-specialist', duration_seconds: 1620 }], [380, 'CheckpointCreated', { checkpoint_id: 'checkpoint-code', description: 'before the tests' }],
  [381, 'PhaseCompleted', { phase: 'CODE', next_phase: 'TEST' }], [381.5, 'PhaseStarted', { phase: 'TEST' }], [383, 'AgentSpawned', { agent_name: 'test-writer-fixer', assigned_task: 'test the whole way in' }],
  [396, 'TestRunStarted', { test_suite: 'integration' }], [397, 'CommentPosted', { comment_id: '19', comment_type: 'progress_update' }],
  [398.6, 'TestRunFailed', { test_suite: 'integration', tests_passed: 46, tests_failed: 2, failure_summary: 'the login endpoint answers 500' }],
  [399, 'ErrorOccurred', { error_type: 'http_500', error_message: 'the login endpoint answers 500' }],
  [400.5, 'AgentFailed', { agent_name: 'test-writer-fixer', failure_reason: 'integration tests failed' }], [401, 'PhaseFailed', { phase: 'TEST', failure_reason: 'integration tests failed', retry_count: 2 }],
  [402, 'GapIdentified', { gap_id: 'gap-auth', gap_type: 'missing_tests', severity: 'high', description: 'No test covers a token that ran out', blocking: true }],
  [403, 'PhaseStarted', { phase: 'FIX' }], [405, 'AgentSpawned', { agent_name: 'code-architect', assigned_task: 'find out why' }],
  [405.5, 'RecoveryAttempted', { strategy: 'another agent', error_type: 'http_500' }], [408, 'QualityCheckStarted', { check_type: 'lint' }],
  [410, 'QualityCheckFailed', { check_type: 'lint', issues_found: 3 }], [412, 'QualityCheckStarted', { check_type: 'types' }], [414, 'QualityCheckCompleted', { check_type: 'types', passed: true }],
  [417, 'CommentPosted', { comment_id: '20', comment_type: 'progress_update' }], [419, 'TestRunStarted', { test_suite: 'integration' }],
  [421, 'TestRunFailed', { test_suite: 'integration', tests_passed: 47, tests_failed: 1, failure_summary: 'the session store is not there' }],
  [424, 'RecoveryFailed', { strategy: 'another agent', error_type: 'http_500' }], [426, 'CommentPosted', { comment_id: '21', comment_type: 'help_wanted' }],
  [429, 'AgentFailed', { agent_name: 'code-architect', failure_reason: 'the session store is not there' }], [431, 'IssueTransitioned', { from_status: 'In Progress', to_status: 'Blocked' }],
  [433, 'PhaseFailed', { phase: 'FIX', failure_reason: 'the session store is not there' }],
  [434, 'OrchestrationFailed', { failure_phase: 'FIX', failure_reason: 'the session store is not there', failure_message: 'REDIS_URL is not set in the test environment', next_actions: ['set REDIS_URL in the test environment', 'run the integration tests again'] }],
];
const SHORT = [
  [0, 'OrchestrationStarted', { issue_summary: 'Checkout rejects valid vouchers' }], [1, 'PhaseStarted', { phase: 'EXPLORE' }], [2, 'AgentSpawned', { agent_name: 'explorer', assigned_task: 'find the voucher check' }],
  [9, 'AgentCompleted', { agent_name: 'explorer' }], [10, 'PhaseCompleted', { phase: 'EXPLORE' }], [11, 'PhaseStarted', { phase: 'CODE' }], [12, 'AgentSpawned', { agent_name: 'fixer', assigned_task: 'compare dates in UTC' }],
];

function told(stream, story, begun) {
  const key = stream.slice('issue/'.length);
  return story.map(([minutes, type, data], index) => ({
    specversion: '1.0', id: `${key}-${index + 1}`, source: '/orchestrator', type, subject: stream, time: new Date(begun + minutes * MINUTE).toISOString(),
    actortype: 'agent', actorid: data.agent_name ?? 'orchestrator', ...(index > 0 ? { causationid: `${key}-${CAUSE[type] && stream.endsWith('123') ? Math.max(1, index - CAUSE[type] + 1) : index}` } : {}), data,
  }));
}
/** How far back its cause lies, where it is not the event before. */
const CAUSE = { AgentSpawned: 2, GapIdentified: 2, CommitCreated: 3 };

export const FAILED = 'issue/PROJ-123';
export const AT_WORK = 'issue/SHOP-42';
const DAY_OVER = new Date(2025, 11, 22, 9, 0).getTime();
export const PAST = [...told(FAILED, STORY, DAY_OVER), ...told(AT_WORK, SHORT, DAY_OVER + 600 * MINUTE)];

const EMPTY = {
  issue_key: '', session_id: null, status: 'not_started', current_phase: null, completed_phases: [], active_agents: [], completed_agents: [], failed_agents: [], blocked_agents: [], identified_gaps: [], resolved_gaps: [],
  commits: [], prs: [], quality_checks: [], test_runs: [], errors: [], checkpoints: [], started_at: null, completed_at: null, duration_seconds: 0, failure: null,
};
const without = (list, name) => list.filter((one) => one !== name);
const last = (list, by, value, change) => list.map((one, index) => (index === list.findLastIndex((other) => other[by] === value) ? { ...one, ...change } : one));

const FOLD = {
  OrchestrationStarted: (s, d, e) => ({ ...s, issue_key: e.subject.slice(6), status: 'in_progress', started_at: e.time }),
  OrchestrationPaused: (s) => ({ ...s, status: 'paused' }), OrchestrationResumed: (s) => ({ ...s, status: 'in_progress' }),
  OrchestrationFailed: (s, d, e) => ({ ...s, status: 'failed', completed_at: e.time, active_agents: [], failure: { phase: d.failure_phase, reason: d.failure_reason, message: d.failure_message, next_actions: d.next_actions } }),
  PhaseStarted: (s, d) => ({ ...s, current_phase: d.phase }), PhaseCompleted: (s, d) => ({ ...s, completed_phases: [...s.completed_phases, d.phase] }),
  AgentSpawned: (s, d) => ({ ...s, active_agents: [...without(s.active_agents, d.agent_name), d.agent_name], blocked_agents: s.blocked_agents.filter((one) => one.agent_name !== d.agent_name) }),
  AgentCompleted: (s, d) => ({ ...s, active_agents: without(s.active_agents, d.agent_name), completed_agents: [...s.completed_agents, d.agent_name] }),
  AgentFailed: (s, d) => ({ ...s, active_agents: without(s.active_agents, d.agent_name), failed_agents: [...s.failed_agents, d.agent_name] }),
  AgentBlocked: (s, d, e) => ({ ...s, active_agents: without(s.active_agents, d.agent_name), blocked_agents: [...s.blocked_agents, { agent_name: d.agent_name, blocked_by: d.blocked_by, blocking_agent: d.blocking_agent, since: e.time }] }),
  GapIdentified: (s, d) => ({ ...s, identified_gaps: [...s.identified_gaps, d] }), GapResolved: (s, d) => ({ ...s, resolved_gaps: [...s.resolved_gaps, d.gap_id] }),
  CommitCreated: (s, d, e) => ({ ...s, commits: [...s.commits, { sha: d.commit_sha, message: d.message, timestamp: e.time }] }), PRCreated: (s, d) => ({ ...s, prs: [...s.prs, { ...d, status: 'open' }] }),
  QualityCheckStarted: (s, d) => ({ ...s, quality_checks: [...s.quality_checks, { check_type: d.check_type, status: 'started' }] }),
  QualityCheckCompleted: (s, d) => ({ ...s, quality_checks: last(s.quality_checks, 'check_type', d.check_type, { status: 'passed' }) }),
  QualityCheckFailed: (s, d) => ({ ...s, quality_checks: last(s.quality_checks, 'check_type', d.check_type, { status: 'failed', issues_found: d.issues_found }) }),
  TestRunStarted: (s, d) => ({ ...s, test_runs: [...s.test_runs, { test_suite: d.test_suite, status: 'started' }] }),
  TestRunCompleted: (s, d) => ({ ...s, test_runs: last(s.test_runs, 'test_suite', d.test_suite, { status: 'passed', passed: d.tests_passed, failed: d.tests_failed }) }),
  TestRunFailed: (s, d) => ({ ...s, test_runs: last(s.test_runs, 'test_suite', d.test_suite, { status: 'failed', passed: d.tests_passed, failed: d.tests_failed }) }),
  ErrorOccurred: (s, d, e) => ({ ...s, errors: [...s.errors, { ...d, timestamp: e.time, recovered: false }] }), CheckpointCreated: (s, d, e) => ({ ...s, checkpoints: [...s.checkpoints, { ...d, timestamp: e.time }] }),
};

export function fold(events) {
  let state = EMPTY;
  return events.map((event) => {
    state = FOLD[event.type]?.(state, event.data, event) ?? state;
    if (state.started_at) state = { ...state, duration_seconds: Math.round((Date.parse(event.time) - Date.parse(state.started_at)) / 1_000) };
    return state;
  });
}

/** As a server would: fields and the elements of lists, no further. */
export function compare(before, after, path = '') {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const patch = [];
    const kept = before.filter((one) => after.some((other) => JSON.stringify(other) === JSON.stringify(one)));
    for (let index = before.length - 1; index >= 0; index -= 1) if (!kept.includes(before[index])) patch.push({ op: 'remove', path: `${path}/${index}` });
    after.forEach((one, index) => JSON.stringify(kept[index]) !== JSON.stringify(one) && (kept.splice(index, 0, one), patch.push({ op: 'add', path: `${path}/${index}`, value: one })));
    return patch;
  }
  if (before === null || after === null || typeof before !== 'object' || typeof after !== 'object' || Array.isArray(before) || Array.isArray(after)) return [{ op: 'replace', path, value: after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
    !(name in after) ? [{ op: 'remove', path: `${path}/${name}` }] : name in before ? compare(before[name], after[name], `${path}/${name}`) : [{ op: 'add', path: `${path}/${name}`, value: after[name] }]);
}

export const summaryOf = ({ data }) => [data.phase, data.agent_name, data.test_suite, data.check_type, data.gap_id, data.message ?? data.failure_reason ?? data.description].filter(Boolean).slice(0, 2).join(', ');
