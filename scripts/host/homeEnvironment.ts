import { mkdirSync } from 'node:fs';
import * as path from 'node:path';

/** Environment in which programs find an empty home in `folder` instead of the real one. */
export function homeEnvironment(folder: string): Record<string, string> {
  const home = path.join(folder, 'home');
  const below = (...parts: string[]): string => path.join(home, ...parts);
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    XDG_CONFIG_HOME: below('.config'),
    XDG_DATA_HOME: below('.local', 'share'),
    XDG_STATE_HOME: below('.local', 'state'),
    XDG_CACHE_HOME: below('.cache'),
    USERPROFILE: home,
    APPDATA: below('AppData', 'Roaming'),
    LOCALAPPDATA: below('AppData', 'Local'),
  };
}
