/**
 * What the names of published files begin with, for the workspace folder at `index` of these names:
 * nothing where it is the only one, else its name, with a number where an earlier one has it, too. Two
 * checkouts of one project are both called alike, and their files must not take each other's names.
 */
export function rootName(names: readonly string[], index: number): string {
  const name = names[index] ?? '';
  if (names.length <= 1) return '';
  const earlier = names.slice(0, index).filter((other) => other === name).length;
  if (earlier === 0) return name;
  for (let number = earlier + 1; ; number += 1) {
    const candidate = `${name}-${number}`;
    if (!names.includes(candidate)) return candidate;
  }
}
