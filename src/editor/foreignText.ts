import { plainText } from '../protocol/text';

/**
 * The one function through which text of others passes before it is shown: names, hosts, display
 * names, addresses, reasons. Notifications turn `[x](command:…)` into links and labels turn
 * `$(name)` into icons; a space keeps both from being what they look like, on every surface.
 */
export function foreignText(text: string, maxLength?: number): string {
  return plainText(text, maxLength).replace(/\$\(/gu, '$ (').replace(/\]\(/gu, '] (');
}
