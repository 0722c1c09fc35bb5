/** The theme's colours as they are now; a canvas cannot read CSS variables by itself. */
export interface Palette {
  background: string
  card: string
  foreground: string
  muted: string
  border: string
  primary: string
  ghost: string
  font: string
  /** The value of a colour that names theme variables. */
  resolve: (css: string) => string
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  const read = (name: string) => style.getPropertyValue(name).trim()
  const known = new Map<string, string>()
  const resolve = (css: string) => {
    let value = known.get(css)
    if (value === undefined) {
      value = css.replace(/var\((--[\w-]+)\)/g, (_whole, name: string) => read(name))
      known.set(css, value)
    }
    return value
  }
  return {
    background: read('--background'),
    card: read('--card'),
    foreground: read('--foreground'),
    muted: read('--muted-foreground'),
    border: read('--input'),
    primary: read('--primary'),
    ghost: read('--relation-unresolved'),
    font: style.fontFamily,
    resolve,
  }
}
