import { l10n } from 'vscode';
import { CONTROL_REASONS, type ControlReason } from '../protocol/controlReasons';
import { MAX_NAME_BYTES, MAX_NAME_PART_BYTES } from '../protocol/limits';
import { NAME_PROBLEMS, type NameProblem } from '../protocol/names';
import { foreignText } from './foreignText';

/** What the engine and trackers say in words that never change, in the language of the user. */

const PROBLEMS: Readonly<Record<NameProblem, () => string>> = {
  [NAME_PROBLEMS.empty]: () => l10n.t('It is empty.'),
  [NAME_PROBLEMS.controlCharacter]: () => l10n.t('It has a control character.'),
  [NAME_PROBLEMS.notUnicode]: () => l10n.t('It is not valid Unicode.'),
  [NAME_PROBLEMS.tooLong]: () => l10n.t('It is longer than {0} bytes.', MAX_NAME_BYTES),
  [NAME_PROBLEMS.direction]: () => l10n.t('It has a character that changes the direction of text.'),
  [NAME_PROBLEMS.backslash]: () => l10n.t('It has a backslash.'),
  [NAME_PROBLEMS.absolute]: () => l10n.t('It is an absolute path.'),
  [NAME_PROBLEMS.notComposed]: () => l10n.t('It is not in Unicode normalization form C.'),
  [NAME_PROBLEMS.emptyPart]: () => l10n.t('A part of it is empty.'),
  [NAME_PROBLEMS.longPart]: () =>
    l10n.t('A part of it is longer than {0} bytes.', MAX_NAME_PART_BYTES),
  [NAME_PROBLEMS.dots]: () => l10n.t('A part of it has only dots.'),
  [NAME_PROBLEMS.device]: () => l10n.t('A part of it is the name of a device on Windows.'),
};

/** Of the reasons of trackers, those that users can do something about. */
const REASONS: Readonly<Partial<Record<ControlReason, () => string>>> = {
  [CONTROL_REASONS.hostnameInUse]: () => l10n.t('the hostname is in use'),
  [CONTROL_REASONS.noCommonVersion]: () => l10n.t('its version does not go with this one'),
  [CONTROL_REASONS.tooManyConnections]: () => l10n.t('it has too many connections'),
  [CONTROL_REASONS.tooManyEntries]: () => l10n.t('too many files are published'),
  [CONTROL_REASONS.tooManyFiles]: () => l10n.t('too many files are published'),
  [CONTROL_REASONS.tooManyHostnames]: () => l10n.t('it knows too many hostnames'),
  [CONTROL_REASONS.tooManyRequests]: () => l10n.t('it was asked too much at once'),
  [CONTROL_REASONS.trackerFailed]: () => l10n.t('it has failed itself'),
};

/** What is wrong with a name, as a sentence; empty for what is not known. */
export function nameProblemText(problem: unknown): string {
  return textOf(PROBLEMS, problem) ?? '';
}

/** Why a tracker refused; in its own words, quoted, when they mean something to experts only. */
export function refusalText(reason: unknown): string {
  if (typeof reason !== 'string') return l10n.t('no reason given');
  return textOf(REASONS, reason) ?? JSON.stringify(foreignText(reason));
}

/** A tracker may say anything, such as the name of a member that every object has. */
function textOf(texts: Partial<Record<string, () => string>>, key: unknown): string | undefined {
  return typeof key === 'string' && Object.hasOwn(texts, key) ? texts[key]?.() : undefined;
}
