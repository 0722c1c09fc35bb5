/** Text on a canvas: measuring is dear, and the same names are drawn frame after frame. */

const widths = new Map<string, Map<string, number>>()
const fitted = new Map<string, string>()
/** Both are emptied at this size: a session may see many families. */
const MOST = 60_000

/** The width of a text in the context's own font, in pixels. */
export function measure(ctx: CanvasRenderingContext2D, text: string): number {
  let ofFont = widths.get(ctx.font)
  if (!ofFont || ofFont.size > MOST) {
    ofFont = new Map()
    widths.set(ctx.font, ofFont)
  }
  let width = ofFont.get(text)
  if (width === undefined) {
    width = ctx.measureText(text).width
    ofFont.set(text, width)
  }
  return width
}

/** What of a text fits into a width, with an ellipsis where something is left out. */
export function fitText(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  const width = measure(ctx, text)
  if (width <= room) return text
  // In steps of four pixels, so that zooming asks for few different widths.
  const step = Math.floor(room / 4)
  const key = `${ctx.font}|${step}|${text}`
  const known = fitted.get(key)
  if (known !== undefined) return known
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= step * 4) low = middle
    else high = middle - 1
  }
  if (fitted.size > MOST) fitted.clear()
  const result = `${text.slice(0, low)}…`
  fitted.set(key, result)
  return result
}

/** Fonts loaded later have other widths. */
export function forgetText(): void {
  widths.clear()
  fitted.clear()
}
