import './style/tokens.css';
import './style/elements.css';
import './style/shell.css';
import './style/live.css';
import './style/session.css';
import './style/tables.css';
import './style/phone.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { feed, time } from './live/feed.svelte';
import { keyboard } from './live/keys.svelte';
import { theme } from './live/theme.svelte';

theme.start();
keyboard.start();
time.start();
const target = document.querySelector('#app');
if (target) mount(App, { target });
void feed.open();
