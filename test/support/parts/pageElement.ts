/**
 * The part of a browser's `Element` that is used here. The browser's own type library would add
 * its globals to every file of the project.
 */
export interface PageElement {
  readonly textContent: string | null;
  readonly classList: { contains(name: string): boolean };
  querySelector(selector: string): PageElement | null;
  getAttribute(name: string): string | null;
}
