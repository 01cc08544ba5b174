import type { Theme } from '../../generated/types';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
let chosen: Theme = 'system';

/** Puts the theme on the page: `data-theme` is `light` or `dark`, whatever was chosen. */
export function applyTheme(theme: Theme): void {
  chosen = theme;
  const system = dark.matches ? 'dark' : 'light';
  document.documentElement.dataset['theme'] = theme === 'system' ? system : theme;
}

dark.addEventListener('change', () => applyTheme(chosen));
