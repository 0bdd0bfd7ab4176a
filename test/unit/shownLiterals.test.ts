import { strict as assert } from 'node:assert';
import { Linter } from 'eslint';

interface Rule {
  readonly selector: string;
  readonly message: string;
}

/** What the lint rule for texts that users read finds, and what it lets pass. */
describe('the rule for texts that users read', () => {
  let rules: readonly Rule[];

  before(async () => {
    const file = '../../eslint.config.mjs'; // It has no types.
    const config = (await import(file)) as { shownLiterals: readonly Rule[] };
    rules = config.shownLiterals;
  });

  const findings = (code: string): number =>
    new Linter().verify(code, { rules: { 'no-restricted-syntax': ['error', ...rules] } }).length;

  for (const code of [
    "item.label = 'Files';",
    "item.tooltip = many ? 'Many files' : x;",
    'item.description = `from ${name}`;',
    "pick({ placeHolder: 'Type a name' });",
    "notify('info', 'Done now');",
    'notifyWithLog("error", `failed ${x}`);',
    "ask('Really?', detail);",
    "new vscode.TreeItem('Files');",
    "new vscode.FileDecoration('P', 'Published');",
    "throw vscode.FileSystemError.Unavailable('Too large');",
    "item.description = [size, 'new'].join(' · ');",
    "item.label = name ?? 'Unknown';",
    "item.description = 'from ' + name;",
    "new vscode.MarkdownString('Text');",
    "text.appendText('More');",
    "throw new Refusal('No such file');",
  ])
    it(`finds ${code}`, () => assert.equal(findings(code), 1));

  for (const code of [
    "item.label = vscode.l10n.t('Files');",
    "item.contextValue = 'networkFile';",
    "item.description = parts.join(' · ');",
    "notify('info', vscode.l10n.t('Done'));",
    "action({ title: '' });",
    'item.tooltip = `${a} · ${b}`;',
    "new vscode.FileDecoration('✓', vscode.l10n.t('The same'));",
    'throw vscode.FileSystemError.FileNotFound(uri);',
    "const key = [host, name].join(' ');",
  ])
    it(`passes ${code}`, () => assert.equal(findings(code), 0));
});
