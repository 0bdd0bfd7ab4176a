/** No value is found: the server then takes its defaults. */
const REGISTRY = `'use strict';
exports.GetStringRegKey = () => undefined;
exports.GetDWORDRegKey = () => undefined;
`;

/**
 * Modules of the server that take the place of native ones: the package for Linux does not have them for
 * Windows, and they would have to be compiled there.
 */
export const STAND_INS: Readonly<Record<string, string>> = {
  '@vscode/windows-registry': REGISTRY,
};
