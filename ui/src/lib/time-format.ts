import { clock as time } from './state/clock.svelte';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

/** Formats a time in this computer's time zone, without the current year: `Sun 29 Nov, 23:10`. */
export function formatDateTime(rfc3339: string, now = new Date()): string {
  const at = new Date(rfc3339);
  if (Number.isNaN(at.getTime())) return rfc3339;
  const parts = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((found) => found.type === type)?.value ?? '';
  const date = [part('weekday'), part('day'), part('month'), part('year')].filter(Boolean);
  return `${date.join(' ')}, ${part('hour')}:${part('minute')}`;
}

/** Writes a time in this computer's time zone as a field for date and time has it: `2026-11-29T23:10`. */
export function localDateTime(rfc3339: string): string {
  const at = new Date(rfc3339);
  if (Number.isNaN(at.getTime())) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Formats a time to the second, with its time zone. */
export function formatExactDateTime(rfc3339: string): string {
  const at = new Date(rfc3339);
  return Number.isNaN(at.getTime()) ? rfc3339 : exact.format(at);
}

/** Formats the day of a time in Unix seconds: `22 Nov 2026`. */
export function formatDay(unixSecs: number): string {
  return day.format(new Date(unixSecs * 1000));
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const thisYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Formats the time of day of a time in Unix seconds: `16:21`. */
export function formatTime(unixSecs: number): string {
  return clock.format(new Date(unixSecs * 1000));
}

const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });
const longDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' });
const longDayOfYear = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' });

/** Names a day in Unix milliseconds: `Today` and `Wednesday 25 November`, or `Monday` and `23 November`. */
export function formatDayHeading(ms: number, now = time.now()): [name: string, date: string] {
  const at = new Date(ms);
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  const date =
    at.getFullYear() === now.getFullYear() ? longDay.format(at) : longDayOfYear.format(at);
  const named = `${weekday.format(at)} ${date}`;
  if (at.toDateString() === now.toDateString()) return ['Today', named];
  if (at.toDateString() === yesterday.toDateString()) return ['Yesterday', named];
  return [weekday.format(at), date];
}

/** Formats a past time in Unix seconds: `2 min ago`, `today, 09:12`, `yesterday`, `20 Nov`. */
export function formatPast(unixSecs: number, now = time.now()): string {
  const at = new Date(unixSecs * 1000);
  const secs = Math.floor((now.getTime() - at.getTime()) / 1000);
  if (secs >= 0 && secs < 60) return 'just now';
  if (secs >= 0 && secs < 3600) return `${Math.floor(secs / 60)} min ago`;
  if (at.toDateString() === now.toDateString()) return `today, ${clock.format(at)}`;
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (at.toDateString() === yesterday.toDateString()) return 'yesterday';
  return at.getFullYear() === now.getFullYear() ? thisYear.format(at) : day.format(at);
}

/** Formats a time in Unix seconds: `today 09:00`, `Fri 27 Nov, 09:00`. */
export function formatMoment(unixSecs: number, now = time.now()): string {
  const at = new Date(unixSecs * 1000);
  if (at.toDateString() === now.toDateString()) return `today ${clock.format(at)}`;
  return formatDateTime(at.toISOString(), now);
}

/** Formats the day of a time in Unix seconds, and of today the time of day: `Mon 23 Nov`, `today 16:21`. */
export function formatDayIn(unixSecs: number, now = time.now()): string {
  const moment = formatMoment(unixSecs, now);
  return moment.split(',')[0] ?? moment;
}

/** Formats a time to the second, with its time zone. */
export function formatExact(unixSecs: number): string {
  return exact.format(new Date(unixSecs * 1000));
}

/** Formats a span in seconds by its two largest units: `3 days 4 hours`, `12 min`. */
export function formatSpan(secs: number): string {
  const minutes = Math.floor(Math.max(0, secs) / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const count = (number: number, unit: string) => `${number} ${unit}${number === 1 ? '' : 's'}`;
  if (minutes < 1) return 'less than a minute';
  if (hours < 1) return `${minutes} min`;
  if (days < 1) return `${count(hours, 'hour')} ${minutes % 60} min`;
  return `${count(days, 'day')} ${count(hours % 24, 'hour')}`;
}
