// The rooms and their import rules: docs/ARCHITECTURE.md, "Invariants".
import { readFileSync } from 'node:fs';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const ENGINE_ROOMS = ['common', 'protocol', 'lan', 'peer', 'tracker', 'cli'];

const noVscode = {
  group: ['vscode'],
  message:
    'The engine runs without an editor: take what you need as a parameter, or publish an event that src/editor or src/views turns into a VS Code call.',
};
const noRoom = (rooms, message) => ({ group: rooms.map((room) => `**/${room}/**`), message });
const noSockets = {
  group: ['node:net', 'node:tls', 'node:http', 'node:https', 'node:dgram'],
  message: 'The editor talks to the engine through EngineClient (src/peer/enginePort.ts).',
};
const noBareNodeModules = {
  regex:
    '^(assert|buffer|child_process|cluster|crypto|dgram|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|readline|stream|string_decoder|timers|tls|url|util|v8|vm|worker_threads|zlib)(/.*)?$',
  message:
    "Write 'node:…': the extension host patches the bare names of http, https, net and tls for proxies.",
};

/** One import policy per room; a later block replaces an earlier one, so each names all its rules. */
const restrict = (files, patterns, paths = []) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [noBareNodeModules, ...patterns], paths }],
  },
});

/** Members of VS Code's objects that users read. */
const SHOWN =
  '/^(label|description|detail|tooltip|title|message|prompt|placeHolder|placeholder|openLabel|saveLabel|invocationMessage|text|name)$/';
/** Words; the name of the product, addresses and names of icons are none. */
const WORDS = '/(?<![$(\\-\\w:\\x2f])(?!peershelf)[a-z]{2}/i';
/** Where a text would stand: alone, chosen by a condition, or in a template. */
const inPlace = (place) => [
  `${place} > Literal[value=${WORDS}]`,
  `${place} > ConditionalExpression > Literal[value=${WORDS}]`,
  `${place} > LogicalExpression > Literal[value=${WORDS}]`,
  `${place} > BinaryExpression[operator='+'] > Literal[value=${WORDS}]`,
  `${place} > TemplateLiteral > TemplateElement[value.raw=${WORDS}]`,
];

/** Texts that users read stand in the bundles, in every language: a test checks the bundles. */
export const shownLiterals = [
  ...inPlace(`Property[key.name=${SHOWN}]`),
  ...inPlace(`AssignmentExpression[left.property.name=${SHOWN}]`),
  ...inPlace('NewExpression[callee.property.name=/^(TreeItem|FileDecoration)$/]'),
  ...inPlace("NewExpression[callee.property.name='MarkdownString']"),
  ...inPlace("NewExpression[callee.name='Refusal']"),
  ...inPlace("CallExpression[callee.property.name='appendText']"),
  ...inPlace("CallExpression[callee.object.property.name='FileSystemError']"),
  ...inPlace("CallExpression > MemberExpression[property.name='join'] > ArrayExpression"),
  ...inPlace('CallExpression[callee.name=/^(ask|withPercent)$/]'),
  // The first argument is how serious it is.
  `CallExpression[callee.name=/^notify(WithLog)?$/] > Literal[value=${WORDS}]:nth-child(2)`,
  'CallExpression[callee.name=/^notify(WithLog)?$/] > TemplateLiteral',
].map((selector) => ({
  selector,
  message: 'Users read this: write vscode.l10n.t(…), and the text in l10n/ in every language.',
}));

/** Rules that need types and that oxlint lacks, or has only in part: for `npm run lint:types`. */
export const rulesWithTypes = {
  '@typescript-eslint/no-meaningless-void-operator': 'error',
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'error',
};

/**
 * oxlint checks these, with the native compiler. What leaves its list is checked here again, or
 * refused for its want of types, so that no rule gets lost between the two.
 */
const { rules: oxlintRules } = JSON.parse(
  readFileSync(new URL('.oxlintrc.json', import.meta.url), 'utf8'),
);
const checkedElsewhere = Object.fromEntries(
  [
    ...Object.keys(oxlintRules).map((name) => name.replace(/^typescript\//, '@typescript-eslint/')),
    ...Object.keys(rulesWithTypes),
  ].map((name) => [name, 'off']),
);

/** Folders that no linter checks. */
export const ignored = {
  ignores: ['dist/**', 'dist-test/**', '.vscode-test/**', 'node_modules/**', 'bench/results/**'],
};

export default tseslint.config(
  ignored,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { globals: globals.node },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-console': ['error'],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'The extension host patches the global fetch: use node:http.' },
      ],
    },
  },
  { files: ['**/*.ts'], rules: checkedElsewhere },
  restrict(['**/*.ts'], []),
  restrict(
    ['src/common/**/*.ts'],
    [
      noVscode,
      noRoom(
        ['protocol', 'lan', 'peer', 'tracker', 'cli', 'views', 'editor'],
        'common imports nothing of ours: move the code to the room that needs it.',
      ),
      noSockets,
    ],
  ),
  restrict(
    ['src/protocol/**/*.ts'],
    [
      noVscode,
      noRoom(
        ['lan', 'peer', 'tracker', 'cli', 'views', 'editor'],
        'protocol imports only common: it says what goes over the wire, not who sends it.',
      ),
      {
        group: ['node:fs', 'node:fs/promises', ...noSockets.group],
        message: 'protocol is pure (no sockets, no files): hand in bytes or strings.',
      },
    ],
  ),
  restrict(
    ['src/lan/**/*.ts'],
    [
      noVscode,
      noRoom(
        ['peer', 'tracker', 'cli', 'views', 'editor'],
        'lan is what peers and trackers share to find each other: hand in what they know.',
      ),
    ],
  ),
  restrict(
    ['src/peer/**/*.ts'],
    [
      noVscode,
      noRoom(
        ['tracker', 'cli', 'views', 'editor'],
        'A peer knows a tracker only through the wire: put what both need into protocol or common.',
      ),
    ],
  ),
  restrict(
    ['src/tracker/**/*.ts'],
    [
      noVscode,
      noRoom(
        ['peer', 'cli', 'views', 'editor'],
        'A tracker knows peers only through the wire: put what both need into protocol or common.',
      ),
    ],
  ),
  restrict(
    ['src/cli/**/*.ts'],
    [
      noVscode,
      noRoom(['views', 'editor'], 'The command line runs without an editor: use the Peer facade.'),
    ],
  ),
  restrict(
    ['src/views/**/*.ts', 'src/editor/**/*.ts'],
    [
      noSockets,
      noRoom(
        ['lan', 'tracker', 'cli'],
        'Only editor/localTracker.ts knows that a tracker can be started: ask it.',
      ),
      {
        regex: '/peer/(?!peerApi|enginePort)',
        message:
          'The engine runs in a worker: use the types of peer/peerApi and the client of peer/enginePort.',
      },
    ],
  ),
  {
    files: ['src/views/**/*.ts', 'src/editor/**/*.ts'],
    ignores: ['src/editor/notifier.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['showErrorMessage', 'showWarningMessage', 'showInformationMessage'].map((property) => ({
          object: 'window',
          property,
          message:
            'Notifications run links found in their text: go through editor/notifier.ts, which passes every part through foreignText.',
        })),
      ],
    },
  },
  {
    files: ['src/views/**/*.ts', 'src/editor/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shownLiterals] },
  },
  {
    files: ENGINE_ROOMS.map((room) => `src/${room}/**/*.ts`),
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Error']",
          message:
            'Throw a PeershelfError with a code: the user gets a message and a next step by it.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      'no-console': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['**/*.mjs'], rules: { 'no-console': 'off' } },
  {
    // Stands in for a module of others, and is loaded as that is.
    files: ['scripts/host/standIns/*.cjs'],
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
);
