import { isInside } from './paths';
import type { FolderRule } from './peerApi';

/** What the rule of the innermost folder around a file says; where there is none, it is off. */
export function isOnFor(path: string, rules: readonly FolderRule[]): boolean {
  let innermost: FolderRule | undefined;
  for (const rule of rules)
    if (isInside(rule.folder, path) && isInside(innermost?.folder ?? rule.folder, rule.folder))
      innermost = rule;
  return innermost?.isOn === true;
}
