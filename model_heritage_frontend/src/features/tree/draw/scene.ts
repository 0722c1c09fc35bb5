import type { Camera } from '../camera'
import type { Colouring } from '../colouring'
import type { Bounds, TreeLayout, TreeLink } from '../layout'
import type { Palette } from './palette'

/** Cards with two lines, dots with a name, or dots alone: what can be read at this scale. */
export type Detail = 'cards' | 'names' | 'dots'

/** Rows of names need this many pixels, cards of full size this scale. */
const LEAST_PITCH = 13
const CARDS_FROM = 0.62

export function chooseDetail(
  { arrangement, pitch }: Pick<TreeLayout, 'arrangement' | 'pitch'>,
  scale: number,
): Detail {
  if (arrangement === 'columns' && scale >= CARDS_FROM) return 'cards'
  return pitch * scale >= LEAST_PITCH ? 'names' : 'dots'
}

export interface View extends Camera {
  detail: Detail
  /** What of the layout is in view, with a margin for what reaches into it. */
  box: Bounds
}

export function makeView(layout: TreeLayout, camera: Camera): View {
  const { scale, scaleX, left, top, width, height } = camera
  const across = layout.size.width + 40 / scaleX
  const down = layout.size.height + 40 / scale
  return {
    ...camera,
    detail: chooseDetail(layout, scale),
    box: {
      left: -left / scaleX - across,
      right: (width - left) / scaleX + across,
      top: -top / scale - down,
      bottom: (height - top) / scale + down,
    },
  }
}

export interface DrawState {
  selected: string | null
  hovered: string | null
  /** The ids that stay strong while something is hovered; null when all do. */
  kin: ReadonlySet<string> | null
  /** Where a dragged node would be dropped. */
  target: string | null
}

export const CALM: DrawState = { selected: null, hovered: null, kin: null, target: null }

export interface LinkStyle {
  colour: string
  width: number
  alpha: number
  dash: number[]
}

/**
 * A layout made ready for drawing. What an edge and a node look like is worked out once: a frame of
 * thousands only looks up numbers.
 */
export interface Scene {
  layout: TreeLayout
  palette: Palette
  /** The looks that occur, and for every link of the layout the index of its own. */
  styles: LinkStyle[]
  styleOf: Uint16Array
  /** The colours that occur, and for every node of the layout the index of its own. */
  colours: string[]
  colourOf: Uint16Array
}

/** The look of an edge, with confidence to the nearest tenth, so that many edges look alike. */
export function chooseStyle(link: TreeLink, colour: string): LinkStyle {
  const { edge, main, target } = link
  const level = edge ? Math.round(edge.confidence * 10) / 10 : 0
  const uncertain = !edge || edge.relation === 'unresolved' || !edge.resolved
  return {
    colour,
    width: edge ? 0.9 + 2.1 * level * level : 1.2,
    alpha: edge ? 0.4 + 0.6 * level : target.more ? 0.45 : 0.7,
    dash: !main ? [5, 4] : uncertain && !target.more ? [2, 3.5] : [],
  }
}

export function makeScene(layout: TreeLayout, colouring: Colouring, palette: Palette): Scene {
  const styles: LinkStyle[] = []
  const known = new Map<string, number>()
  const styleOf = Uint16Array.from(layout.links, (link) => {
    const style = chooseStyle(link, palette.resolve(colouring.of(link.target, link.edge)))
    const key = `${style.colour} ${style.width} ${style.alpha} ${style.dash.length > 0 ? style.dash[0] : 0}`
    let index = known.get(key)
    if (index === undefined) {
      index = styles.push(style) - 1
      known.set(key, index)
    }
    return index
  })
  const colours: string[] = []
  const colourOf = Uint16Array.from(layout.nodes, (node) => {
    const colour = palette.resolve(colouring.of(node, node.edge))
    const index = colours.indexOf(colour)
    return index >= 0 ? index : colours.push(colour) - 1
  })
  return { layout, palette, styles, styleOf, colours, colourOf }
}
