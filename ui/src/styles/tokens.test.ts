import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

const SOURCES = join(import.meta.dirname, '..');

/** A size in pixels, other than the one pixel of a line or of text for a screen reader. */
const PIXELS = /(?<![\w.-])-?(?!1px\b)\d*\.?\d+px\b/u;
const COLOUR = /#[0-9a-f]{3,8}\b|\b(rgb|rgba|hsl|oklch)\(|\b(black|white)\b/iu;
/** Properties whose lengths come from the scales. The size of a single thing, such as a column, is in rem. */
const SCALED = /^(padding|margin|gap|row-gap|column-gap|border-radius|font|font-size)(-.*)?$/u;
const LENGTH = /(?<![\w.-])(?!0\b)\d*\.?\d+(px|rem|em)\b/u;
const HAIR = /(?<![\w.])-?1px\b/gu;

type Nodes = AST.CSS.StyleSheet['children'] | AST.CSS.Block['children'];

function offences(nodes: Nodes, source: string): string[] {
  return nodes.flatMap((node) => {
    if (node.type !== 'Declaration') {
      const { prelude } = node;
      const condition = typeof prelude === 'string' ? prelude : '';
      const own = PIXELS.test(condition) ? [condition] : [];
      return [...own, ...offences(node.block?.children ?? [], source)];
    }
    const { property, value } = node;
    const isOffence =
      PIXELS.test(value) ||
      COLOUR.test(value) ||
      (SCALED.test(property) && LENGTH.test(value.replaceAll(HAIR, '')));
    return isOffence ? [`${property}: ${value}`] : [];
  });
}

function offencesIn(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const source = file.endsWith('.css') ? `<style>${text}</style>` : text;
  const { css } = parse(source, { modern: true });
  return offences(css?.children ?? [], source).map((found) => `${file} ${found}`);
}

/** Properties that a script or the component around sets. */
const SET_OUTSIDE = new Set(['--instance', '--columns']);

describe('the styles', () => {
  it('take colours, spaces, radii and type from the tokens, and no size in pixels', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => /\.(css|svelte)$/u.test(file) && file !== 'styles/tokens.css')
      .sort();
    expect(files).toContain('styles/base.css');
    expect(files).toContain('layout/Rail.svelte');
    expect(files.flatMap(offencesIn)).toEqual([]);
  });

  it('use no token that is not there', () => {
    const tokens = readFileSync(join(SOURCES, 'styles/tokens.css'), 'utf8');
    const known = new Set([...tokens.matchAll(/^\s*(--[\w-]+):/gmu)].map(([, name]) => name));
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(css|svelte)$/u.test(file),
    );
    const unknown = files.flatMap((file) => {
      const text = readFileSync(join(SOURCES, file), 'utf8');
      const own = new Set([...text.matchAll(/^\s*(--[\w-]+):/gmu)].map(([, name]) => name));
      const used = [...text.matchAll(/var\((--[\w-]+)/gu)].map(([, name]) => name);
      return used
        .filter((name) => !known.has(name) && !own.has(name) && !SET_OUTSIDE.has(name ?? ''))
        .map((name) => `${file} ${name}`);
    });
    expect(unknown).toEqual([]);
  });
});
