mod crash;
mod events;
mod kpi;
mod model;
mod opening;
mod snapshots;
mod summaries;
