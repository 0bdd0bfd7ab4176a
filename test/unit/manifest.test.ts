import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The manifest and the code must name the same things; `contributions.ts` is the code's side. */

const ROOT = join(__dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

interface MenuEntry {
  /** Or, for entries that open another menu, a submenu. */
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
}

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: string[] };
  };
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly contributes: {
    readonly commands: { readonly command: string }[];
    readonly menus: Record<string, MenuEntry[]>;
    readonly submenus: { readonly id: string }[];
    readonly views: Record<
      string,
      { readonly id: string; readonly icon?: string; readonly when?: string }[]
    >;
    readonly viewsContainers: { readonly activitybar: { readonly icon: string }[] };
    readonly viewsWelcome: {
      readonly view: string;
      readonly when: string;
      readonly contents: string;
    }[];
    readonly languageModelTools: { readonly name: string; readonly when?: string }[];
    readonly walkthroughs: {
      readonly steps: {
        readonly id: string;
        readonly media: { readonly image: string };
        readonly completionEvents: string[];
      }[];
    }[];
    readonly configuration: { readonly properties: Record<string, { readonly scope: string }> };
  };
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const strings = JSON.parse(read('package.nls.json')) as Record<string, string>;
const { contributes } = manifest;
const source = read('src/editor/contributions.ts');

/** The entries of one exported object literal of contributions.ts. */
function declared(name: string): string[] {
  const body = new RegExp(`export const ${name}[^=]*= \\{([^}]*)\\}`, 'u').exec(source)?.[1];
  assert.ok(body !== undefined, name);
  return [...body.matchAll(/^ {2}(\w+): (?:'([^']+)'|true),$/gmu)].map(
    ([, key, value]) => value ?? `peershelf.${key}`,
  );
}

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
const commands = contributes.commands.map(({ command }) => command);

/** Every source file of the extension's two rooms, as one text. */
const glue = ['src/editor', 'src/views']
  .flatMap((room) => readdirSync(join(ROOT, room)).map((file) => read(`${room}/${file}`)))
  .join('\n');

describe('the manifest', () => {
  it('declares the commands, views and settings that the code knows, and no others', () => {
    assert.deepEqual(sorted(commands), sorted(declared('COMMANDS')));
    const views = Object.values(contributes.views).flatMap((list) => list.map(({ id }) => id));
    assert.deepEqual(sorted(views), sorted(declared('VIEWS')));
    const settings = Object.keys(contributes.configuration.properties);
    assert.deepEqual(sorted(settings), sorted(declared('SETTING_NAMES')));
  });

  it('declares the tools that the code has, and none that may publish before a setting allows it', () => {
    const tools = contributes.languageModelTools;
    assert.deepEqual(sorted(tools.map(({ name }) => name)), sorted(declared('TOOLS')));
    const publish = tools.find(({ name }) => name === 'peershelf_publishFile');
    assert.equal(publish?.when, 'config.peershelf.allowToolsToPublish');
  });

  it('has a picture and an end that can come for each step of the walkthrough', () => {
    const ends = new Set([
      ...declared('CONTEXT_KEYS').map((key) => `onContext:${key}`),
      ...declared('VIEWS').map((view) => `onView:${view}`),
    ]);
    const steps = contributes.walkthroughs.flatMap((one) => one.steps);
    assert.equal(steps.length, 4);
    for (const { id, media, completionEvents } of steps) {
      assert.ok(existsSync(join(ROOT, media.image)), id);
      assert.ok(completionEvents.length > 0 && completionEvents.every((end) => ends.has(end)), id);
    }
  });

  it('asks only for context keys that the code sets', () => {
    const asked = JSON.stringify(contributes).matchAll(/peershelf\.(?!svg)[a-zA-Z]+/gu);
    const known = new Set([
      ...commands,
      ...declared('VIEWS'),
      ...contributes.submenus.map(({ id }) => id),
      ...declared('CONTEXT_KEYS'),
      ...declared('SETTING_NAMES'),
    ]);
    assert.deepEqual(
      sorted([...asked].map(([id]) => id)).filter((id) => !known.has(id)),
      [],
    );
    for (const key of declared('CONTEXT_KEYS'))
      assert.match(
        glue,
        new RegExp(`setContext\\(\\s*'${key.slice('peershelf.'.length)}'`, 'u'),
        key,
      );
  });

  it('has a text for every key, and no text that nothing uses', () => {
    const used = [...read('package.json').matchAll(/"%([^%"]+)%"/gu)].map(([, key]) => key ?? '');
    assert.deepEqual(sorted(used), sorted(Object.keys(strings)));
  });

  it('uses only commands that exist in menus and welcome texts', () => {
    const inMenus = Object.values(contributes.menus)
      .flat()
      .flatMap(({ command }) => command ?? []);
    const inTexts = [
      ...Object.values(strings)
        .join('\n')
        .matchAll(/command:(peershelf\.\w+)(?![.\w])/gu),
    ];
    for (const id of [...inMenus, ...inTexts.map(([, command]) => command ?? '')])
      assert.ok(commands.includes(id), id);
  });

  it('has entries for every submenu, and a way to it', () => {
    const ways = Object.values(contributes.menus)
      .flat()
      .flatMap(({ submenu }) => submenu ?? []);
    for (const { id } of contributes.submenus) {
      assert.ok((contributes.menus[id] ?? []).length > 0, id);
      assert.ok(ways.includes(id), id);
    }
  });

  it('hides from the palette what needs an argument', () => {
    const hidden = (contributes.menus['commandPalette'] ?? [])
      .filter(({ when }) => when === 'false')
      .flatMap(({ command }) => command ?? []);
    assert.deepEqual(sorted(hidden), [
      'peershelf.browsePeer',
      'peershelf.cancelTransfer',
      'peershelf.compareFingerprint',
      'peershelf.compareSelected',
      'peershelf.compareWithWorkspace',
      'peershelf.fetchHere',
      'peershelf.fetchTo',
      'peershelf.offerTransfer',
      'peershelf.openRemote',
      'peershelf.pauseTransfer',
      'peershelf.pingPeer',
      'peershelf.publishAgain',
      'peershelf.resumeTransfer',
      'peershelf.retryTransfer',
      'peershelf.revealTransfer',
      'peershelf.showMenu',
      'peershelf.showMore',
    ]);
  });

  it('puts at most two entries into the explorer menu at once', () => {
    const entries = contributes.menus['explorer/context'] ?? [];
    /** Whether an entry is shown for a file; who has not trusted its folder sees fewer. */
    const isShown = (when: string, published: boolean, changed: boolean): boolean =>
      when.split(' && ').every((part) => {
        const [, not, key] = /^resourcePath (not )?in peershelf\.(\w+)$/u.exec(part) ?? [];
        if (key !== undefined)
          return { publishedPaths: published, changedPaths: changed }[key] === (not === undefined);
        return ['resourceScheme == file', 'isWorkspaceTrusted'].includes(part);
      });
    for (const [published, changed] of [
      [false, false],
      [true, false],
      [true, true],
    ] as const) {
      const shown = entries.filter(({ when = '' }) => isShown(when, published, changed));
      assert.equal(shown.length, 2, JSON.stringify({ published, changed }));
    }
  });

  it('gives every view an icon and welcome texts for every state', () => {
    for (const view of Object.values(contributes.views).flat()) {
      assert.ok(view.icon, view.id);
      // A view that is there in a session only has one empty state.
      if (/peershelf\.connect/u.test(view.when ?? '')) continue;
      const states = contributes.viewsWelcome.filter((welcome) => welcome.view === view.id);
      const all = states.map(({ when }) => when).join(' ');
      for (const state of ['workbenchState == empty', '!isWorkspaceTrusted', 'disconnected'])
        assert.ok(all.includes(state), `${view.id}: ${state}`);
    }
  });

  it('never lets a workspace say where to connect, listen or advertise', () => {
    const { properties } = contributes.configuration;
    const scopes = Object.fromEntries(
      Object.entries(properties).map(([name, { scope }]) => [
        name.slice('peershelf.'.length),
        scope,
      ]),
    );
    assert.deepEqual(scopes, {
      tracker: 'machine',
      inviteFile: 'machine',
      trackerPort: 'machine',
      hostname: 'machine',
      port: 'machine',
      advertiseAddress: 'machine',
      autoConnect: 'machine',
      maxUploads: 'machine',
      maxUploadMegabytesPerSecond: 'machine',
      maxDownloadMegabytesPerSecond: 'machine',
      displayName: 'application',
      allowToolsToPublish: 'application',
      fetchFolder: 'resource',
      autoRepublish: 'resource',
      exclude: 'resource',
    });
  });

  it('takes nothing from a workspace that is not trusted', () => {
    const { properties } = contributes.configuration;
    const ofWorkspace = Object.keys(properties).filter((name) =>
      ['resource', 'window'].includes(properties[name]?.scope ?? ''),
    );
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.deepEqual(sorted(restrictedConfigurations), sorted(ofWorkspace));
  });

  it('activates on nothing but the end of the start-up, links, and its own addresses', () => {
    assert.deepEqual(manifest.activationEvents, [
      'onStartupFinished',
      'onUri',
      'onFileSystem:peershelf',
    ]);
  });

  it('names files that exist', () => {
    const icons = contributes.viewsContainers.activitybar.map(({ icon }) => icon);
    for (const file of [manifest.icon, ...icons]) assert.ok(existsSync(join(ROOT, file)), file);
  });

  it('pins its dependencies and explains each in docs/ARCHITECTURE.md', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, range] of Object.entries(all)) {
      assert.match(range, /^(?:npm:[\w-]+@)?\d/u, `${name} is not pinned`);
      assert.ok(read('docs/ARCHITECTURE.md').includes(name), `${name} is not explained`);
    }
  });
});
