import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';

import { mount } from 'svelte';

import App from './App.svelte';
import { listenForEvents } from './state/events';
import { studio } from './state/studio.svelte';
import { applyTheme } from './state/theme';

applyTheme('system');
void studio.start();
void listenForEvents();

const target = document.getElementById('studio');
if (target) mount(App, { target });
