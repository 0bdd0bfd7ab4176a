/** Families of files that make programs run, or that programs and agents obey. */
export type RiskFamily =
  | 'agents'
  | 'versionControl'
  | 'editors'
  | 'packages'
  | 'languages'
  | 'build'
  | 'shell'
  | 'shortcuts'
  | 'executables'
  | 'hidden';

type Line = readonly [family: RiskFamily, patterns: string, reason: string];

/**
 * One line for what obeys the files, with the reason why they are not placed unasked. Patterns are those
 * of `NamePatterns`. The first line that matches names the family.
 */
// prettier-ignore
export const RISKY_FILES: readonly Line[] = [
  // Before others: the same folders hold settings of editors and of automation.
  ['agents', 'claude.*.md agents.*.md agent.*.md gemini.*.md qwen.*.md warp.*.md conventions.*.md crush.md crush.*.md crush.json .crush .crush.json', 'personal and further instructions of agents'],
  ['agents', 'claude.md .claude .claude.json', 'Claude Code follows it at each start; its settings have hooks'],
  ['agents', 'agents.md agent.md .agents .agent', 'most agents follow it as instructions of the user'],
  ['agents', 'gemini.md .gemini qwen.md .qwen warp.md', 'instructions and settings of Gemini CLI and its kin'],
  ['agents', '.cursor .cursorrules .cursorignore .cursorindexingignore', 'rules, and servers that Cursor starts'],
  ['agents', '.windsurf .windsurfrules .codeium', 'rules and workflows of Windsurf'],
  ['agents', '.clinerules .cline .roo .roomodes .roorules .kilocode .kilocodemodes', 'rules, modes and servers of Cline, Roo and Kilo'],
  ['agents', '.mcp.json mcp.json .mcp .vscode/mcp.json mcp_config.json mcp-config.json', 'names programs that a client starts as tools'],
  ['agents', '.github/copilot-instructions.md .github/instructions/ .github/prompts/ .github/agents/ .github/chatmodes/ .github/skills/ .github/hooks/ .copilot', 'instructions, prompts, agents and hooks of Copilot'],
  ['agents', '*.instructions.md *.prompt.md *.chatmode.md *.agent.md skill.md', 'instructions that VS Code and agents look for by their names'],
  ['agents', '.codex .amazonq .kiro .junie .continue .continuerules .trae .opencode opencode.json opencode.jsonc', 'settings and hooks of further agents'],
  ['agents', '.aider* conventions.md .goose .goosehints .rules .augment .augment-guidelines .zencoder .idx/airules.md', 'rules of further agents'],
  ['agents', 'copilot.md codex.md cursor.md jules.md devin.md amp.md amp.json droid.md replit.md kilo.json kilo.jsonc *.mdc *.agents.md', 'instructions and settings of further agents'],
  ['agents', 'mcp*.json mcp*.jsonc mcp*.y*ml *mcp_settings.json claude_desktop_config.json gemini-extension.json hooks/hooks.json', 'names programs that agents start as tools, or before and behind them'],

  ['versionControl', '.git *.git/', 'configuration and hooks of Git run programs'],
  ['versionControl', '.gitmodules .gitattributes .gitconfig', 'names repositories, filters and drivers that Git calls'],
  ['versionControl', '.hg .hgrc .hgsub .svn .jj .bzr .cvs .fossil-settings _darcs/', 'hooks and configuration of other systems'],
  ['versionControl', 'cvs/root cvs/entries cvs/repository', 'names the program that reaches the repository'],
  ['versionControl', '_svn/ _mtn/ _fossil_ p4config p4config.txt', 'folders and settings of other systems under their second names'],
  ['versionControl', 'lefthook-local.* cz.toml commitizen.json', 'commands that hooks call'],
  ['versionControl', '.husky .githooks .git-hooks .hooks lefthook.yml lefthook.yaml lefthook.json lefthook.toml .lefthook .lefthook.*', 'hooks that run with the next commit'],
  ['versionControl', '.pre-commit-config.yaml .pre-commit-config.yml .pre-commit-hooks.yaml .overcommit.yml', 'programs of hooks before a commit'],
  ['versionControl', '.lintstagedrc* lint-staged.config.* .huskyrc* husky.config.* .simple-git-hooks.* simple-git-hooks.* .commitlintrc* commitlint.config.*', 'commands that hooks call'],

  ['editors', '.vscode .vscode-test.* *.code-workspace', 'tasks, debuggers and settings of VS Code name programs'],
  ['editors', '.devcontainer .devcontainer.json .gitpod .gitpod.yml .gitpod.dockerfile .idx .codesandbox .stackblitzrc devfile.yaml .devfile.yaml', 'commands of development containers'],
  ['editors', '.idea *.iml *.ipr *.iws .fleet .zed .vs .theia .nova .brackets.json', 'run configurations, tools and tasks of editors'],
  ['editors', '*.sublime-project *.sublime-workspace *.sublime-build .kateproject *.komodoproject', 'build systems of editors'],
  ['editors', '.nvim.lua .nvimrc .vimrc .exrc _vimrc .gvimrc .vim .lvimrc .local.vimrc .netrwhist .helix', 'code that Vim and Neovim run in a folder'],
  ['editors', '.dir-locals.el .dir-locals-2.el .emacs .emacs.d .projectile', 'variables and code that Emacs evaluates'],

  ['packages', 'package.json package.json5 package.yaml', 'scripts run with an installation; editors offer and detect them'],
  ['packages', 'package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb', 'decides which code the next installation runs'],
  ['packages', '.npmrc .yarnrc .yarnrc.yml .yarn .pnp.* .pnpm* pnpm-workspace.yaml bunfig.toml', 'names registries and programs of package managers'],
  ['packages', 'node_modules/ bower_components/ jspm_packages/', 'programs and editors load code from it by its name'],
  ['packages', 'bower.json .bowerrc lerna.json rush.json nx.json turbo.json .nx .turbo project.json workspace.json', 'tasks of repositories with several packages'],
  ['packages', 'deno.json deno.jsonc deno.lock jsr.json import_map.json', 'tasks and imports of Deno'],
  ['packages', 'composer.json composer.lock', 'scripts of Composer'],
  ['packages', 'gemfile gemfile.lock gems.rb gems.locked *.gemspec .bundle .gemrc .gem', 'is Ruby code, or names it; editors evaluate it'],
  ['packages', 'pipfile pipfile.lock poetry.lock poetry.toml uv.lock uv.toml pdm.lock pixi.toml requirements*.txt pip.conf pip.ini .pypirc', 'decides which code the next installation runs'],
  ['packages', 'nuget.config packages.config paket.dependencies global.json', 'sources of packages, and which tools build'],
  ['packages', 'podfile podfile.lock *.podspec cartfile brewfile .brewfile', 'is Ruby code that package managers run'],
  ['packages', 'conanfile.py conanfile.txt vcpkg.json vcpkg-configuration.json conda.yaml environment.yml .condarc', 'recipes that run with an installation'],
  ['packages', '*.lock *-lock.json *-lock.y*ml *.lockfile package.resolved', 'decides which code the next installation runs, by the ending that such files have'],
  ['packages', '*requirements.txt *requirements.in requirements/*.txt requirements/*.in constraints*.txt environment.*.yml environment.yaml', 'decides which code the next installation runs'],
  ['packages', 'vendor/bin/ vendor/autoload.php', 'editors start the tools that lie in it'],
  ['packages', 'gemfile.local berksfile puppetfile cheffile appraisals mintfile', 'is code that package managers run, or names it'],

  ['languages', 'eslint.config.* .eslintrc* .eslintplugin* eslint-local-rules.* prettier.config.* .prettierrc* .prettierplugin* stylelint.config.* .stylelintrc*', 'code and plugins that editor extensions load'],
  ['languages', '*.config.js *.config.cjs *.config.mjs *.config.jsx *.config.ts *.config.cts *.config.mts *.config.tsx *.conf.js *.conf.cjs *.conf.mjs *.conf.ts *.conf.cts *.conf.mts *.setup.js *.setup.cjs *.setup.mjs *.setup.jsx *.setup.ts *.setup.cts *.setup.mts *.setup.tsx *.config.json *.preset.js setuptests.*', 'code that tools of JavaScript load by this ending'],
  ['languages', 'tailwind.config.* postcss.config.* .postcssrc* .babelrc* babel.config.* vite.config.* vitest.config.* vitest.workspace.* jest.config.* jest.setup.* karma.conf.*', 'code that editor extensions and test runners load'],
  ['languages', 'webpack.config.* rollup.config.* rspack.config.* svelte.config.* next.config.* nuxt.config.* astro.config.* remix.config.* playwright.config.* cypress.config.* wdio.conf.*', 'code that development servers and test runners load'],
  ['languages', 'tsup.config.* esbuild.config.* metro.config.* app.config.js app.config.ts angular.json .angular-cli.json ng-package.json vue.config.* quasar.config.* gatsby-*.js gridsome.config.js ember-cli-build.js', 'code that build tools load'],
  ['languages', 'gulpfile.* gruntfile.* jakefile* .mocharc.* ava.config.* .nycrc* nyc.config.* c8.config.* .taprc wallaby.js protractor.conf.*', 'code that task and test runners load'],
  ['languages', 'tsconfig.json tsconfig.*.json jsconfig.json biome.json biome.jsonc .biome.json .oxlintrc* dprint.json .swcrc graphql.config.* .graphqlrc* codegen.ts codegen.yml', 'plugins that language servers load'],
  ['languages', '.markdownlint* .textlintrc* .remarkrc* .cspell* cspell.* tslint.json tslint.* .ls-lint.yml .renovaterc* .releaserc* release.config.* .czrc .cz.json .size-limit.js .depcheckrc', 'rules and plugins that may be code'],
  ['languages', 'conftest.py pytest.ini .pytest.ini tox.ini noxfile.py setup.py setup.cfg pyproject.toml manage.py tasks.py dodo.py fabfile.py hatch.toml ruff.toml .ruff.toml', 'code and plugins of Python tools; discovery of tests runs it'],
  ['languages', '__pycache__/ *.pyc *.pyo *.pyd', 'runs in place of the source that it claims to be made of'],
  ['languages', 'test*.py *_test.py __init__.py', 'discovery of tests, which editors start by themselves, runs it'],
  ['languages', '*_spec.rb spec_helper.rb rails_helper.rb test_helper.rb', 'runs when editors list the tests of Ruby'],
  ['languages', '*.elc *.zwc *.beam', 'is loaded in place of the source that it claims to be made of'],
  ['languages', 'conf.py *.conf.py ipython*config.* profile_*/ *.ipy kernel.json', 'editors, servers and notebooks run it, or start what it names'],
  ['languages', 'nodemon.json sgconfig.yml moon.yml', 'commands and libraries that tools load'],
  ['languages', 'bin/rails bin/rspec bin/rubocop bin/bundle config/boot.rb config/application.rb config/environment.rb config/initializers/ steepfile', 'language servers of Ruby run it'],
  ['languages', 'ecs.php castor.php robofile.php deploy.php grumphp.y*ml codeception.y*ml behat.y*ml infection.json infection.json5 deptrac.y*ml phpbench.json', 'code and commands of PHP tools'],
  ['languages', 'profiles.clj user.clj data_readers.clj build.boot *.playground/ *.fsx', 'editors or their first session evaluate it'],
  ['languages', 'omnisharp.json launchsettings.json dbt_project.y*ml library.json', 'names libraries and programs that editors load or start'],
  ['languages', '.pylintrc pylintrc .pylintrc.toml pylintrc.toml mypy.ini .mypy.ini .flake8 .isort.cfg .style.yapf .bandit .coveragerc pyrightconfig.json basedpyrightconfig.json', 'plugins and hooks that linters of Python load'],
  ['languages', '*.pth *.egg-link sitecustomize.py usercustomize.py pyvenv.cfg .pythonrc .pythonstartup .ipython .jupyter jupyter_*config.py jupyter_*config.json', 'runs with each start of Python'],
  ['languages', '.venv venv/ .virtualenv virtualenv/ site-packages/ .direnv .tox .nox', 'editors start the interpreter that lies in it'],
  ['languages', 'build.rs cargo.toml cargo.lock .cargo rust-toolchain rust-toolchain.toml clippy.toml .clippy.toml rust-analyzer.toml .rust-analyzer.toml rust-project.json', 'rust-analyzer builds and runs it on opening'],
  ['languages', 'go.mod go.work go.sum .golangci.* magefile.go', 'names the tools that Go fetches and starts'],
  ['languages', '.clangd .ccls compile_commands.json compile_flags.txt .clang-tidy .ycm_extra_conf.py', 'commands and plugins of language servers of C'],
  ['languages', 'mix.exs mix.lock .iex.exs .formatter.exs .credo.exs rebar.config rebar.config.script erlang.mk erlang_ls.config', 'code that ElixirLS and build tools evaluate'],
  ['languages', '.ghci hie.yaml setup.hs setup.lhs *.cabal stack.yaml cabal.project package.dhall', 'code and commands of Haskell tools'],
  ['languages', 'package.swift package@swift-*.swift .swiftpm .swiftlint.yml .sourcekit-lsp', 'is Swift code that editors run to read it'],
  ['languages', 'ruby_lsp/ rakefile *.rake .irbrc .pryrc .rspec .rubocop.yml .rubocop_todo.yml .solargraph.yml .simplecov config.ru guardfile capfile dangerfile fastfile thorfile', 'code and plugins of Ruby tools'],
  ['languages', '.php-cs-fixer.php .php-cs-fixer.dist.php .php_cs .php_cs.dist phpunit.xml phpunit.xml.dist phpstan.neon phpstan.neon.dist phpunit.*.xml phpcs.xml phpcs.xml.dist phpcs.*.xml phpstan.*.neon psalm.xml psalm.*.xml rector.php .user.ini .htaccess web.config artisan', 'code and plugins of PHP tools and servers'],
  ['languages', '.rprofile .renviron .rproj.user *.rproj renv.lock .lintr startup.m startup.jl .juliarc.jl project.toml manifest.toml', 'runs with a session of R, MATLAB or Julia'],
  ['languages', 'build.zig build.zig.zon dub.json dub.sdl shard.yml nimble.lock *.nimble config.nims dune dune-project *.opam deps.edn project.clj shadow-cljs.edn bb.edn .lein* .clj-kondo info.rkt .perlcriticrc makefile.pl build.pl cpanfile .luacheckrc .luarc.json .luarc.jsonc *.rockspec pubspec.yaml analysis_options.yaml', 'code and tools of further languages'],

  ['build', 'makefile gnumakefile bsdmakefile makefile.in makefile.am makefile.inc makefile.win makefile.unix makefile.local *.mk *.mak kbuild kconfig jamfile jamroot *.smk nextflow.config', 'Make runs it; editors read it by running it'],
  ['build', 'justfile .justfile taskfile.y*ml taskfile.dist.y*ml tiltfile earthfile procfile procfile.* jakefile snakefile dagfile', 'commands of task runners'],
  ['build', 'cmakelists.txt *.cmake cmakepresets.json cmakeuserpresets.json ctestconfig.cmake .cmake-format.py', 'editors configure it on opening, which runs commands'],
  ['build', 'meson.build meson.options meson_options.txt configure configure.ac configure.in autogen.sh bootstrap aclocal.m4 sconstruct sconscript wscript waf premake5.lua xmake.lua build.ninja *.pro *.pri *.gn *.gni .gn', 'scripts of build systems'],
  ['build', 'build build.bazel workspace workspace.bazel module.bazel *.bzl .bazelrc .bazeliskrc .bazelversion .bazelproject buck .buckconfig pants.toml', 'rules of Bazel and its kin'],
  ['build', 'build.gradle* settings.gradle* init.gradle* gradle.properties gradlew gradle/wrapper/ *.gradle *.gradle.kts .gradle buildsrc/', 'Java extensions run it on opening'],
  ['build', 'platformio.ini sdkconfig.defaults idf_component.yml west.yml', 'scripts that builds for devices run'],
  ['build', '*.worksheet.sc *.sc *.mill *.mill.scala project.scala', 'editors of Scala evaluate it on opening'],
  ['build', 'pom.xml .mvn mvnw build.xml ivy.xml build.sbt project/*.sbt project/*.scala project/build.properties .sbtopts .sbt .bsp .bloop .metals build.sc build.mill .mill-version', 'Java and Scala extensions run it on opening'],
  ['build', '.classpath .project .settings .factorypath .jvmopts lombok.config', 'projects of Eclipse name processors and builders'],
  ['build', '*.csproj *.fsproj *.vbproj *.vcxproj *.vcproj *.*proj *.projitems *.sln *.slnf *.slnx *.proj *.props *.targets *.rsp directory.build.* directory.packages.props *.pubxml *.csx *.nuspec *.tt *.t4 build.cake .config/dotnet-tools.json dotnet-tools.json', 'MSBuild runs what it names when an editor opens it'],
  ['build', '*.xcodeproj/ *.xcworkspace/ *.pbxproj *.xcconfig *.xcscheme .xcode.env .xcode.env.local', 'build phases of Xcode are scripts'],
  ['build', 'dockerfile dockerfile.* *.dockerfile containerfile containerfile.* *.containerfile podman-compose*.y*ml compose.y*ml compose.*.y*ml docker-compose*.y*ml docker-bake.* .dockerenv vagrantfile packer.json *.pkr.hcl skaffold.y*ml devspace.yaml helmfile.yaml', 'commands that run with an image or a machine'],
  ['build', 'flake.nix flake.lock shell.nix default.nix devenv.nix devenv.yaml devbox.json devbox.lock .envrc.nix guix.scm manifest.scm *.nix', 'environments that tools enter by themselves'],
  ['build', '.github .gitlab-ci* .gitlab .circleci azure-pipelines*.y*ml circle.yml dagger.json .azure-pipelines .azuredevops jenkinsfile* .jenkins .travis.yml .appveyor.yml appveyor.yml .gitea .forgejo .woodpecker* .buildkite .drone.* .cirrus* .tekton bitbucket-pipelines.y*ml cloudbuild.y*ml buildspec.y*ml .semaphore codemagic.yaml action.y*ml', 'automation runs it with the next push'],
  ['build', 'renovate.json renovate.json5 .dependabot dependabot.yml .mergify.yml netlify.toml vercel.json now.json wrangler.toml wrangler.json fly.toml render.yaml app.yaml serverless.y*ml serverless.ts sam.yaml firebase.json .firebaserc heroku.yml railway.json nixpacks.toml railpack.json', 'commands of services that build and deploy'],
  ['build', '*.tf *.tf.json *.tofu *.tofu.json *.hcl .terraform .terraformrc .terraform.lock.hcl terragrunt.hcl pulumi.yaml pulumi.*.yaml ansible.cfg playbook.y*ml cdk.json', 'programs and providers that run with the next plan'],
  // Behind others: task runners have files with this part, too.
  ['languages', '*.dist.php *.dist.neon *.dist.xml *.dist.y*ml *.dist.json *.php.dist *.neon.dist *.xml.dist *.y*ml.dist *.json.dist', 'what tools of PHP load where there is no file without this part'],

  ['shell', '.envrc .env .env.* *.env .flaskenv mise.toml mise.*.toml mise/config.toml mise/config.*.toml .mise.toml .mise.*.toml .mise .rtx.toml .tool-versions .asdfrc', 'is read when a shell or a program enters the folder'],
  ['shell', '.node-version .nvmrc .python-version .ruby-version .ruby-gemset .java-version .sdkmanrc .go-version .rvmrc .versions.conf .swift-version .php-version', 'names the tools that are started'],
  ['shell', '.bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin .zlogout .inputrc .kshrc .cshrc .tcshrc .login .config .local .xprofile .xsession .xinitrc .pam_environment', 'runs with the next session of its user'],
  ['shell', '.ssh .gnupg .aws .kube .docker .netrc .wgetrc .curlrc .tmux.conf .screenrc .gdbinit .lldbinit .psqlrc .sqliterc .mongorc.js .my.cnf .crontab crontab', 'names commands that tools run by themselves'],
  ['shell', 'profile.ps1 *_profile.ps1 autoexec.bat autoexec.cfg', 'runs with the next session of its user'],

  ['shortcuts', '*.desktop .directory desktop.ini autorun.inf *.autorun autorun.sh', 'a desktop runs what it names, or shows another icon'],
  ['shortcuts', '*.lnk *.url *.website *.scf *.library-ms *.search-ms *.searchconnector-ms *.appref-ms *.settingcontent-ms *.theme *.themepack *.rdp *.iqy *.slk', 'Windows follows it, some when they are only seen'],
  ['shortcuts', '*.webloc *.inetloc *.fileloc *.terminal *.command *.tool *.action/ *.mobileconfig *.jnlp', 'macOS opens what it names, or runs it'],
  ['shortcuts', '*.service *.timer *.socket *.plist *.flatpakref *.flatpakrepo', 'starts programs once it lies at its place'],

  ['executables', '*.exe *.com *.scr *.pif *.cpl *.dll *.ocx *.sys *.drv *.msi *.msp *.mst *.msix *.msixbundle *.appx *.appxbundle *.appinstaller *.application *.gadget *.msc *.diagcab *.chm *.hlp', 'a program, installer or library of Windows'],
  ['executables', '*.bat *.cmd *.ps1 *.psm1 *.psd1 *.ps1xml *.psc1 *.vbs *.vbe *.jse *.wsf *.wsc *.wsh *.sct *.hta *.reg *.inf *.ahk', 'a script that Windows runs on a double click or loads'],
  ['executables', '*.vbscript *.ws *.shb *.shs *.wsb *.msh *.mshxml *.cdxml *.pssc *.msu *.ppkg *.job *.grp *.hpj *.cnt *.ins *.isp *.htc *.xbap *.xnk *.webpnp *.printerexport *.diagcfg *.diagpkg *.vsmacros *.appcontent-ms', 'runs, installs or loads something on a double click on Windows'],
  ['executables', '*.app/ *.pkg *.mpkg *.dmg *.workflow/ *.scpt *.scptd/ *.osax/ *.prefpane/ *.kext/ *.bundle/ *.dylib *.so *.so.* *.node', 'a program, installer or library of macOS and Linux'],
  ['executables', '*.sh *.bash *.zsh *.fish *.ksh *.csh *.run *.appimage *.snap *.flatpak *.deb *.rpm *.apk *.tcsh *.nu *.ko *.pkg.tar.*', 'runs on a double click where shells and installers are registered'],
  ['executables', '*.jar *.war *.pyz *.pyzw *.pyw *.xpi *.crx *.vsix *.nupkg *.gem *.whl *.egg *.phar', 'a packed program, or an extension of one'],
  ['executables', '*.docm *.dotm *.xlsm *.xltm *.xlam *.xll *.xla *.xlsb *.mdb *.mde *.accdb *.accde *.accda *.pptm *.potm *.ppam *.ppsm *.sldm *.ade *.adp *.mda *.mdw *.xlt *.ppa *.one *.onepkg', 'a document with macros'],
  ['executables', '*.iso *.img *.vhd *.vhdx *.udf *.wim *.toast *.cdr *.dvdr *.sparseimage *.sparsebundle/', 'a disk that opens with a double click, whose files bear no mark of their origin'],
];

/**
 * Names that begin with a dot and run nothing. All others of this kind are taken for settings of some
 * program, as there are more of them than any list has.
 */
// prettier-ignore
export const HARMLESS_DOT_FILES: readonly (readonly [names: string, reason: string])[] = [
  ['.gitignore .gitkeep .keep .gitignore_global .git-blame-ignore-revs .mailmap', 'lists paths, commits or names'],
  ['.hgignore .npmignore .dockerignore .eslintignore .prettierignore .stylelintignore .vscodeignore .peershelfignore .gcloudignore .helmignore .rgignore .ignore .fdignore', 'lists paths'],
  ['.editorconfig', 'widths and line ends only'],
  ['.nojekyll .placeholder .hidden .nomedia .metadata_never_index', 'is empty, or lists names'],
  ['.ds_store .localized', 'positions and names that the Finder shows'],
  ['.clang-format .rustfmt.toml .scalafmt.conf .swiftformat', 'widths and line ends of a formatter'],
  ['.well-known', 'a folder of data for web servers'],
];
