import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import { readdirSync } from 'node:fs';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

/** Folders of `src` that may import only from the layers before theirs. */
const LAYERS = [
  ['generated'],
  ['lib'],
  ['layout'],
  [
    'activity',
    'compose',
    'connection',
    'gateway',
    'inspect',
    'links',
    'settings',
    'start',
    'typingmind',
    'users',
  ],
  ['app'],
];

const present = readdirSync(new URL('src', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'styles')
  .map(({ name }) => name);
const unnamed = present.filter((name) => !LAYERS.flat().includes(name));
if (unnamed.length > 0) throw new Error(`LAYERS lacks these folders of src: ${unnamed.join(', ')}`);

const zones = LAYERS.slice(0, -1).flatMap((folders, layer) => {
  const later = LAYERS.slice(layer + 1).flat();
  return folders.map((folder) => ({
    target: `./src/${folder}/**/!(*.test.ts)`,
    from: later.map((other) => `./src/${other}`),
    message: `${folder} is below that layer: see LAYERS in eslint.config.js.`,
  }));
});

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/generated'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  {
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.svelte'],
      'import-x/parsers': {
        '@typescript-eslint/parser': ['.ts'],
        'svelte-eslint-parser': ['.svelte'],
      },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.svelte.ts', '.js'] })],
    },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
        // The rules for imports parse the scripts of components with it, from files of any kind.
        parser: ts.parser,
      },
    },
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@tauri-apps/*'],
              message: 'Only src/lib/bridge.ts talks to Tauri. Use call() from it.',
            },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='asked'][callee.property.name='at']",
          message: 'Use lastAsked(): another part of the page may ask for its data at any time.',
        },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'setInterval', message: 'Ask when lib/state/events.ts hears of a change.' },
      ],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/order': [
        'error',
        {
          groups: [
            ['builtin', 'external'],
            ['parent', 'sibling'],
          ],
          'newlines-between': 'always',
          alphabetize: { order: 'asc', caseInsensitive: true },
        },
      ],
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A style attribute in markup would be refused by the content security policy.
      'svelte/no-inline-styles': ['error', { allowTransitions: false }],
      'svelte/no-at-html-tags': 'error',
      'svelte/button-has-type': 'error',
      'svelte/no-target-blank': 'error',
      'svelte/no-restricted-html-elements': [
        'error',
        {
          elements: ['dialog', 'input', 'select', 'textarea'],
          message: 'Use TextField, TextInput, Select, Switch, Segmented, Modal or Dialog.',
        },
      ],
      'svelte/block-lang': ['error', { script: 'ts', style: null }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: {
        svelteConfig,
      },
    },
    rules: {
      // `let` is how a bindable prop and a rune are declared.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { destructuring: 'all' }],
      // The parser knows no types of what a template hands over; svelte-check does, and checks them.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['src/lib/bridge.ts', 'src/lib/bridge.test.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // Times in words run on, at most once in half a minute; a secret that is shown counts its
    // seconds, and so does a lost connection until the next try.
    files: [
      'src/lib/state/clock.svelte.ts',
      'src/compose/Compose.svelte',
      'src/connection/ConnectionBanner.svelte',
      'src/inspect/Inspect.svelte',
      'src/settings/RevealSecret.svelte',
    ],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    // The shared controls, and a check box, a file and a combo box that occur once.
    files: [
      'src/lib/components/*.svelte',
      'src/compose/ExistingFields.svelte',
      'src/inspect/InputPane.svelte',
      'src/layout/Palette.svelte',
    ],
    rules: { 'svelte/no-restricted-html-elements': 'off' },
  },
  { files: ['*.config.js'], ...ts.configs.disableTypeChecked },
);
