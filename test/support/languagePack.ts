import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';

/**
 * Writes an empty language pack: VS Code takes a language other than English only when a pack for
 * it is installed, and then uses the translations that our extension brings itself.
 */
export async function buildLanguagePack(folder: string, languageId: string): Promise<void> {
  const translations = './translations/main.i18n.json';
  const localization = {
    languageId,
    languageName: languageId,
    localizedLanguageName: languageId,
    translations: [{ id: 'vscode', path: translations }],
  };
  const manifest = {
    name: `language-pack-${languageId}`,
    publisher: 'peershelf',
    version: '0.0.1',
    engines: { vscode: '^1.103.0' },
    categories: ['Language Packs'],
    contributes: { localizations: [localization] },
  };
  await mkdir(path.join(folder, 'translations'), { recursive: true });
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(folder, translations), '{"version":"1.0.0","contents":{}}');
}
