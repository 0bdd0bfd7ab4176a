import { strict as assert } from 'node:assert';
import { HARMLESS_DOT_FILES, RISKY_FILES } from '../../../src/common/riskyFiles';
import { isRiskyPath, riskOf } from '../../../src/common/riskyPaths';

/** Names that earlier lists have passed over, by what obeys them; `/` at the end means what lies in it. */
const KNOWN = `
CLAUDE.md AGENTS.md GEMINI.md .cursor/rules/x .cursor/mcp.json .cursorrules .windsurf/ .windsurfrules .clinerules .roo/
.roomodes .kilocode/ .claude/settings.json .mcp.json mcp.json .gemini/ .codex/ .github/copilot-instructions.md
.github/instructions/ .github/prompts/ .github/agents/ .amazonq/ .kiro/ .junie/ .continue/ .trae/ .opencode/ opencode.json
.aider.conf.yml .goosehints .devcontainer.json .idea/ .zed/ .fleet/ .vs/ .theia/ x.sublime-project .nvim.lua .exrc
.dir-locals.el .gitmodules .gitattributes .husky/pre-commit .githooks/ .git-hooks/ .pre-commit-config.yaml lefthook.yml
.lintstagedrc .lintstagedrc.json lint-staged.config.mjs .hg/ .jj/ .svn/ .npmrc .yarnrc .yarnrc.yml .yarn/ .pnp.cjs
.pnp.loader.mjs .pnpmfile.cjs pnpm-workspace.yaml bunfig.toml deno.json node_modules/x/index.js eslint.config.js
.eslintrc .eslintrc.json prettier.config.js .prettierrc stylelint.config.js .babelrc.js babel.config.js postcss.config.js
tailwind.config.js vite.config.ts vitest.config.ts jest.config.js webpack.config.js rollup.config.js svelte.config.js
next.config.js nuxt.config.ts astro.config.mjs playwright.config.ts gulpfile.js gruntfile.js .mocharc.yml nx.json turbo.json
tsconfig.json conftest.py setup.py setup.cfg pyproject.toml tox.ini noxfile.py .pylintrc mypy.ini x.pth sitecustomize.py
usercustomize.py .venv/bin/python venv/bin/python manage.py tasks.py dodo.py Pipfile build.rs Cargo.toml .cargo/config.toml
rust-toolchain rust-toolchain.toml go.mod go.work build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradlew
gradle/wrapper/gradle-wrapper.properties pom.xml .mvn/ mvnw build.sbt project/plugins.sbt x.csproj Directory.Build.props
nuget.config global.json CMakeLists.txt CMakePresets.json CMakeUserPresets.json .clangd compile_commands.json meson.build
configure BUILD WORKSPACE MODULE.bazel .bazelrc SConstruct wscript Package.swift Podfile mix.exs .iex.exs .ghci hie.yaml
Setup.hs build.zig flake.nix shell.nix Gemfile .bundle/ Rakefile .irbrc .rspec .rubocop.yml composer.json .php-cs-fixer.php
Vagrantfile .Rprofile justfile Taskfile.yml Tiltfile Earthfile Procfile x.mk BSDmakefile .env .env.local mise.toml .mise.toml
.tool-versions .node-version .nvmrc Dockerfile compose.yaml docker-compose.yml .github/workflows/x.yml .github/actions/
.gitlab-ci.yml .circleci/ azure-pipelines.yml Jenkinsfile .travis.yml .gitea/ .forgejo/ .woodpecker.yml .buildkite/
renovate.json .gitpod.yml .idx/ x.desktop desktop.ini autorun.inf x.lnk x.url x.scf x.command .directory
.git/hooks/pre-commit .vscode/tasks.json .devcontainer/x .envrc package.json Makefile GNUmakefile x.code-workspace
setup.exe install.ps1 x.app/Contents/MacOS/x deploy.sh __pycache__/utils.cpython-311.pyc x.pyc x.pyd test_x.py x_test.py
platformio.ini ruby_lsp/x/addon.rb phpcs.xml phpstan.dist.neon phpunit.dist.xml cspell.json tslint.json uno.config.ts
apollo.config.js hardhat.config.js vetur.config.js volar.config.js truffle.config.cjs karma.conf.js vitest.setup.ts
Package@swift-5.9.swift x.worksheet.sc devbox.json mise/config.toml jupyter_server_config.json CVS/Root crush.json CRUSH.md
AGENTS.local.md CLAUDE.local.md x.xlsb x.mdb x.accdb x.iso x.vhdx QWEN.local.md CODEX.md rules/x.mdc mcp_servers.json
claude_desktop_config.json _svn/entries lefthook-local.yml pixi.lock mise.lock conda-lock.yml dev-requirements.txt
requirements/dev.txt vendor/bin/phpstan vendor/autoload.php jest.config.json x.setup.mts src/setupTests.ts test.py testx.py
tests/__init__.py x_spec.rb site-lisp/x.elc x.zsh.zwc ebin/x.beam docs/conf.py gunicorn.conf.py ipython_config.py
profile_default/startup/00.py x.ipy kernel.json nodemon.json sgconfig.yml bin/rails config/boot.rb Steepfile
codeception.dist.yml x.php.dist ecs.php user.clj x.playground/Contents.swift startup.fsx omnisharp.json
Properties/launchSettings.json dbt_project.yml Makefile.win x.mak Jamfile rules/x.smk build.mill.scala x.esproj x.projitems
x.slnf x.tt x.nix Containerfile.dev main.tofu Pulumi.dev.yaml x.shs x.wsb x.ppkg x.pkg.tar.zst x.one x.adp x.toast
x.sparsebundle/bands/0`
  .trim()
  .split(/\s+/u);

const ORDINARY =
  `src/main.ts src/index.js README.md docs/guide.md data.csv LICENSE notes.txt lib/app.py photo.jpg
build/out.txt cvs/anna.pdf latest.py contest.py test_data.csv lib/helpers.py spec/notes.md config/locales/en.yml vendor/notes.md lockers.md locksmith.csv tools/protest.py distribution.xml confusion.py agenda.md workspace/notes.md example.com/notes.md configure/readme.md src/makefile.ts docs/package.json.md
gitignore makefile.txt backup.txt~1 shared/git/x a/longer-name~1.txt config/settings.json report.docx slides.pdf
src/tasks/list.ts src/env.ts HEAD config CHANGELOG.md test/unit/x.test.ts project.md phone.csv index.html style.css main.go Program.cs`
    .trim()
    .split(/\s+/u);

describe('the table of risky files', () => {
  it('has a reason and an example for every line, that names its family', () => {
    for (const [family, patterns, reason] of RISKY_FILES) {
      assert.ok(reason.length > 10, patterns);
      for (const pattern of patterns.split(' ')) {
        assert.equal(pattern, pattern.toLowerCase());
        const example = pattern.replaceAll('*', 'x').replaceAll('?', 'y').replace(/\/$/u, '/x');
        const risk = riskOf(`deep/${example}`);
        assert.ok(risk !== undefined, example);
        // A line further up may have it as well, but never one of another family without a reason.
        assert.equal(risk.family, family, `${example}: ${risk.reason}`);
      }
    }
  });

  it('has no pattern twice', () => {
    const all = RISKY_FILES.flatMap(([, patterns]) => patterns.split(' '));
    assert.deepEqual(
      all.filter((pattern, index) => all.indexOf(pattern) !== index),
      [],
    );
  });

  it('covers every name that is known to make programs run', () => {
    assert.deepEqual(
      KNOWN.filter((path) => !isRiskyPath(path.endsWith('/') ? `${path}x` : path)),
      [],
    );
  });

  it('takes every part that begins with a dot for risky, but for those that run nothing', () => {
    for (const path of ['.unheard-of', '.some/deep/file.txt', 'a/.newtool.json'])
      assert.equal(riskOf(path)?.family, 'hidden', path);
    for (const [names, reason] of HARMLESS_DOT_FILES) {
      assert.ok(reason.length > 10);
      for (const name of names.split(' ')) assert.equal(riskOf(`a/${name}`), undefined, name);
    }
  });

  it('lets ordinary files of a project pass', () => {
    assert.deepEqual(ORDINARY.filter(isRiskyPath), []);
  });

  it('compares as the most forgiving file system does', () => {
    for (const [path, family] of [
      ['.GIT/config', 'versionControl'],
      ['.git. /config', 'versionControl'],
      ['.git::$INDEX_ALLOCATION/config', 'versionControl'],
      ['.git ::$INDEX_ALLOCATION/config', 'versionControl'],
      ['.git:x', 'versionControl'],
      ['package.json::$DATA', 'packages'],
      ['PACKAGE.JSON.:stream:$DATA', 'packages'],
      ['ｐａｃｋａｇｅ.json', 'packages'],
      ['cl\u200baude.md', 'agents'],
      ['\u200b.unknown', 'hidden'],
      ['．unknown', 'hidden'],
      ['a\\.vscode\\tasks.json', 'editors'],
      ['PACKAG~1.JSO', 'hidden'],
      ['CLAUDE~1.MD', 'hidden'],
      ['.gitignore:.git', 'hidden'],
    ] as const)
      assert.equal(riskOf(path)?.family, family, path);
  });
});
