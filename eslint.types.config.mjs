// `npm run lint:types`: what eslint finds only with types, which takes it most of a minute.
import tseslint from 'typescript-eslint';
import { ignored, rulesWithTypes } from './eslint.config.mjs';

export default tseslint.config(ignored, {
  files: ['**/*.ts'],
  extends: [tseslint.configs.base],
  languageOptions: {
    parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
  },
  rules: rulesWithTypes,
});
