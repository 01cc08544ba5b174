import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

/** Small boxes that float above the screen and are seldom repainted. */
const ALLOWED = [
  'compose/PersonField.svelte ul',
  'layout/InstanceMenu.svelte .menu',
  'lib/components/MoreMenu.svelte .menu',
  'lib/components/Toasts.svelte .floating .toast',
];

/** Properties that draw a shadow or a blur. WebKitGTK draws both in software, for each frame anew. */
const SLOW = /^(-webkit-)?(box-shadow|text-shadow|filter|backdrop-filter)$/u;

const SOURCES = join(import.meta.dirname, '..');

type Nodes = AST.CSS.StyleSheet['children'] | AST.CSS.Block['children'];

/** The selectors that set a slow property, also inside other rules. */
function slowSelectors(nodes: Nodes, source: string, around = ''): string[] {
  return nodes.flatMap((node) => {
    if (node.type === 'Declaration') return SLOW.test(node.property) ? [around] : [];
    const { start, end } = node.prelude as AST.CSS.SelectorList;
    const selector = node.type === 'Rule' ? source.slice(start, end) : around;
    return slowSelectors(node.block?.children ?? [], source, selector);
  });
}

function slowIn(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const source = file.endsWith('.css') ? `<style>${text}</style>` : text;
  const { css } = parse(source, { modern: true });
  return slowSelectors(css?.children ?? [], source).map((selector) => `${file} ${selector}`);
}

function filesLike(ending: RegExp): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const named = files.map((file) => file.replaceAll('\\', '/'));
  return named.filter((file) => ending.test(file) && !file.endsWith('.test.ts')).sort();
}

describe('the styles', () => {
  it('draw a shadow only on small things that float', () => {
    const files = filesLike(/\.(css|svelte)$/u);
    expect(files).toContain('styles/base.css');
    expect(files.flatMap(slowIn)).toEqual(ALLOWED);
  });

  it('get no shadow from a script', () => {
    const shadow = /boxShadow|textShadow|styled\('(box-shadow|text-shadow|filter)/u;
    const found = filesLike(/\.(svelte|ts)$/u).filter((file) =>
      shadow.test(readFileSync(join(SOURCES, file), 'utf8')),
    );
    expect(found).toEqual([]);
  });
});
