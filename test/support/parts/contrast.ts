import type { Locator } from 'playwright-core';

/** What is used here of an element and of its page. */
interface StyledElement {
  readonly parentElement: StyledElement | null;
}
interface StyledPage {
  getComputedStyle(element: StyledElement): {
    readonly color: string;
    readonly backgroundColor: string;
  };
}

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

/** Of the text of an element against what is painted behind it: 1 for none, 21 for black on white. */
export async function contrastOf(text: Locator): Promise<number> {
  const { color, behind } = await text.first().evaluate((element) => {
    const page = globalThis as unknown as StyledPage;
    const backgrounds: string[] = [];
    const start = element as unknown as StyledElement;
    for (let at: StyledElement | null = start; at !== null; at = at.parentElement)
      backgrounds.push(page.getComputedStyle(at).backgroundColor);
    return { color: page.getComputedStyle(start).color, behind: backgrounds };
  });
  // From the back to the front; what is behind the page is white.
  const ground = behind.map(parse).reduceRight(paint, [255, 255, 255, 1]);
  const [lighter = 0, darker = 0] = [
    luminance(paint(ground, parse(color))),
    luminance(ground),
  ].sort((one, other) => other - one);
  return (lighter + 0.05) / (darker + 0.05);
}

function parse(css: string): Colour {
  const [red = 0, green = 0, blue = 0, alpha = 1] = (css.match(/[\d.]+/gu) ?? []).map(Number);
  return [red, green, blue, alpha];
}

function paint(below: Colour, above: Colour): Colour {
  const mix = (index: 0 | 1 | 2): number => above[index] * above[3] + below[index] * (1 - above[3]);
  return [mix(0), mix(1), mix(2), 1];
}

/** Relative, from 0 for black to 1 for white. */
function luminance([red, green, blue]: Colour): number {
  const linear = (channel: number): number => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
