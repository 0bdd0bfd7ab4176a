import { l10n } from 'vscode';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long something takes, in one unit. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return l10n.t('{0} s', Math.ceil(seconds));
  if (seconds < 3_600) return l10n.t('{0} min', Math.ceil(seconds / 60));
  return l10n.t('{0} h', Math.ceil(seconds / 3_600));
}

/** A size as the explorer shows it: decimal point by locale would need more than it gives. */
export function formatSize(bytes: number): string {
  const exponent = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** exponent;
  return `${exponent === 0 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[exponent] ?? 'B'}`;
}

export function formatAge(ageMs: number): string {
  if (ageMs < MINUTE_MS) return l10n.t('just now');
  if (ageMs < HOUR_MS) return l10n.t('{0} min ago', Math.floor(ageMs / MINUTE_MS));
  if (ageMs < 2 * DAY_MS) return l10n.t('{0} h ago', Math.floor(ageMs / HOUR_MS));
  return l10n.t('{0} days ago', Math.floor(ageMs / DAY_MS));
}

/** A moment in the past, as everybody reads it: the time of today, with the day for another one. */
export function formatMoment(atMs: number): string {
  const isToday = new Date(atMs).toDateString() === new Date().toDateString();
  return isToday ? timeOf(atMs) : formatDayAndTime(atMs);
}

/** The same for what may be read on another day than it was written. */
export function formatDayAndTime(atMs: number): string {
  return `${formatDay(atMs)} ${timeOf(atMs)}`;
}

export function formatDay(atMs: number): string {
  const moment = new Date(atMs);
  return [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join('-');
}

function timeOf(atMs: number): string {
  const moment = new Date(atMs);
  return `${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

function two(part: number): string {
  return part.toString().padStart(2, '0');
}
