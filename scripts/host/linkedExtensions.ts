import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { uriPath } from './uriPath';

interface Localization {
  languageId: string;
  localizedLanguageName?: string;
  translations: { id: string; path: string }[];
}

interface Manifest {
  publisher: string;
  name: string;
  version: string;
  contributes?: { localizations?: Localization[] };
}

/** Enters folders into the list of installed extensions of a data folder that is new. */
export async function linkExtensions(dataDir: string, folders: readonly string[]): Promise<void> {
  const extensions: unknown[] = [];
  const languagePacks: Record<string, unknown> = {};
  for (const folder of folders) {
    const text = await readFile(path.join(folder, 'package.json'), 'utf8');
    const manifest = JSON.parse(text) as Manifest;
    extensions.push(extensionEntry(folder, manifest));
    for (const localization of manifest.contributes?.localizations ?? []) {
      languagePacks[localization.languageId] = packEntry(folder, manifest, localization);
    }
  }
  await writeJson(path.join(dataDir, 'extensions', 'extensions.json'), extensions);
  // The server reads language packs from a cache that only its own installer would write.
  await writeJson(path.join(dataDir, 'data', 'languagepacks.json'), languagePacks);
}

export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

function extensionEntry(folder: string, manifest: Manifest): unknown {
  return {
    identifier: identifier(manifest),
    version: manifest.version,
    location: { $mid: 1, path: uriPath(folder), scheme: 'file' },
    metadata: { pinned: true, source: 'vsix' },
  };
}

function packEntry(folder: string, manifest: Manifest, localization: Localization): unknown {
  const { languageId, localizedLanguageName, translations } = localization;
  return {
    hash: createHash('md5').update(`${folder} ${manifest.version}`).digest('hex'),
    label: localizedLanguageName ?? languageId,
    extensions: [{ extensionIdentifier: identifier(manifest), version: manifest.version }],
    translations: Object.fromEntries(
      translations.map((translation) => [translation.id, path.join(folder, translation.path)]),
    ),
  };
}

function identifier(manifest: Manifest): { id: string } {
  return { id: `${manifest.publisher}.${manifest.name}` };
}
