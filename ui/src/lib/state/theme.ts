import type { Theme } from '../../generated/types';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
let chosen: Theme = 'system';

/** Sets `data-theme` of the page to `light` or `dark`. The choice `system` follows the computer. */
export function applyTheme(theme: Theme): void {
  chosen = theme;
  const system = dark.matches ? 'dark' : 'light';
  document.documentElement.dataset['theme'] = theme === 'system' ? system : theme;
}

dark.addEventListener('change', () => applyTheme(chosen));
