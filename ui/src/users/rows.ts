/**
 * Which rows of a long table are in sight. Web views cap the height of an element (WebKit near 33
 * million pixels), so a table that would be higher is scrolled on a shorter way: each pixel of the
 * scroll bar then stands for several of the table. Keys still move by single rows.
 */

/** Height of a row at a text of 100 %. */
export const ROW_PX = 36;
/** Far below what any web view can lay out. */
export const MAX_PX = 8_000_000;
/** Rows that are drawn before and after those in sight, so that quick scrolling shows no gap. */
const SPARE = 6;

/** How high what is scrolled is. */
export function contentPx(rows: number, rowPx = ROW_PX): number {
  return Math.min(rows * rowPx, MAX_PX);
}

/** How far the table itself is scrolled, where the scroll bar stands at `scrollPx`. */
export function tablePx(scrollPx: number, rows: number, viewPx: number, rowPx = ROW_PX): number {
  const whole = rows * rowPx;
  if (whole <= MAX_PX) return scrollPx;
  const way = MAX_PX - viewPx;
  return way <= 0 ? 0 : (Math.min(scrollPx, way) / way) * (whole - viewPx);
}

/** The other way round. */
export function scrollPx(ofTablePx: number, rows: number, viewPx: number, rowPx = ROW_PX): number {
  const whole = rows * rowPx;
  if (whole <= MAX_PX) return ofTablePx;
  return (ofTablePx / (whole - viewPx)) * (MAX_PX - viewPx);
}

export type InSight = {
  /** The first row that is drawn, counted from 0. */
  first: number;
  /** The one after the last. */
  end: number;
  /** Where the first is drawn, from the top of the content. */
  topPx: number;
};

/** The rows to draw. */
export function inSight(scrolledPx: number, rows: number, viewPx: number, rowPx = ROW_PX): InSight {
  const table = tablePx(scrolledPx, rows, viewPx, rowPx);
  const first = Math.min(Math.max(0, Math.floor(table / rowPx) - SPARE), Math.max(0, rows - 1));
  const end = Math.min(rows, Math.ceil((table + viewPx) / rowPx) + SPARE);
  return { first, end, topPx: scrolledPx + first * rowPx - table };
}

/** Where to scroll so that a row is in sight, or null where it is. */
export function toShow(
  row: number,
  scrolledPx: number,
  rows: number,
  viewPx: number,
  rowPx = ROW_PX,
): number | null {
  const table = tablePx(scrolledPx, rows, viewPx, rowPx);
  const [top, bottom] = [row * rowPx, (row + 1) * rowPx];
  // Whole pixels: a web view may round, and in a table that is scrolled on a shorter way the
  // wrong way round would hide a part of the row.
  if (top < table) return Math.floor(scrollPx(top, rows, viewPx, rowPx));
  if (bottom > table + viewPx) return Math.ceil(scrollPx(bottom - viewPx, rows, viewPx, rowPx));
  return null;
}
