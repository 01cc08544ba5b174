import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';

import { mount } from 'svelte';

import App from './app/App.svelte';
import { listenForEvents } from './lib/state/events';
import { studio } from './lib/state/studio.svelte';
import { applyTheme } from './lib/state/theme';

applyTheme('system');
void studio.start();
void listenForEvents();

const target = document.getElementById('studio');
if (target) mount(App, { target });
