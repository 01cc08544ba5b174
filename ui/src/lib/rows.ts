/**
 * Rows of a long table that are in sight. Web views limit the height of an element (WebKit near 33
 * million pixels). A higher table therefore scrolls at a scale: each pixel of the scroll bar stands for
 * several pixels of the table. Keys still move by single rows.
 */

/** Height of a row at a text of 100 %. */
export const ROW_PX = 44;
/** Maximum height of the content, far below the limits of web views. */
export const MAX_PX = 8_000_000;
/** Number of rows drawn beyond each end, so that quick scrolling shows no gap. */
const SPARE = 6;

/** Height of the scrolled content. */
export function contentPx(rows: number, rowPx = ROW_PX): number {
  return Math.min(rows * rowPx, MAX_PX);
}

/** Offset in the table for a position of the scroll bar. */
export function tablePx(scrollPx: number, rows: number, viewPx: number, rowPx = ROW_PX): number {
  const whole = rows * rowPx;
  if (whole <= MAX_PX) return scrollPx;
  const way = MAX_PX - viewPx;
  return way <= 0 ? 0 : (Math.min(scrollPx, way) / way) * (whole - viewPx);
}

/** Position of the scroll bar for an offset in the table. */
export function scrollPx(ofTablePx: number, rows: number, viewPx: number, rowPx = ROW_PX): number {
  const whole = rows * rowPx;
  if (whole <= MAX_PX) return ofTablePx;
  return (ofTablePx / (whole - viewPx)) * (MAX_PX - viewPx);
}

export type InSight = {
  /** Index of the first row that is drawn. */
  first: number;
  /** Index after the last row. */
  end: number;
  /** Offset of the first row from the top of the content. */
  topPx: number;
};

/** Returns the rows to draw. */
export function inSight(scrolledPx: number, rows: number, viewPx: number, rowPx = ROW_PX): InSight {
  const table = tablePx(scrolledPx, rows, viewPx, rowPx);
  const first = Math.min(Math.max(0, Math.floor(table / rowPx) - SPARE), Math.max(0, rows - 1));
  const end = Math.min(rows, Math.ceil((table + viewPx) / rowPx) + SPARE);
  return { first, end, topPx: scrolledPx + first * rowPx - table };
}

/** Returns the scroll position that shows a row; null if it is in sight. */
export function toShow(
  row: number,
  scrolledPx: number,
  rows: number,
  viewPx: number,
  rowPx = ROW_PX,
): number | null {
  const table = tablePx(scrolledPx, rows, viewPx, rowPx);
  const [top, bottom] = [row * rowPx, (row + 1) * rowPx];
  // Rounds outwards, because a web view may round, and at a scale one pixel hides part of the row.
  if (top < table) return Math.floor(scrollPx(top, rows, viewPx, rowPx));
  if (bottom > table + viewPx) return Math.ceil(scrollPx(bottom - viewPx, rows, viewPx, rowPx));
  return null;
}
