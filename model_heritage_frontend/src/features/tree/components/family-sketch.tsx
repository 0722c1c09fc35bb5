import { useQuery } from '@tanstack/react-query'

import { treeQuery } from '@/hooks/queries'

import { layoutTree, type NodeSize, type TreeLayout } from '../layout'
import { pickNearest } from '../pick'
import { Dot, Line } from './tree-marks'

const SIZE: NodeSize = { width: 14, height: 10, columnGap: 58, widestGap: 58, rowGap: 6 }
const MOST = 16
const CHILDREN_EACH = 5
const HEIGHT = 108
const WIDTH = 240

/** The bare shape of a family, for a card. Decoration: the card says the same in words. */
export function FamilySketch({ familyId }: { familyId: string }) {
  const tree = useQuery(treeQuery(familyId))
  const layout = tree.data && layoutTree(pickNearest(tree.data, MOST, CHILDREN_EACH), SIZE)
  return (
    <div aria-hidden style={{ height: HEIGHT }}>
      {layout && <Sketch layout={layout} />}
    </div>
  )
}

function Sketch({ layout }: { layout: TreeLayout }) {
  const { left, right, top, bottom } = layout.bounds
  // Small families keep the natural size of their dots; larger ones are made smaller to fit.
  const height = Math.max(HEIGHT, bottom - top + 8)
  const width = Math.max(WIDTH, right - left + 8)
  return (
    <svg
      className="animate-fade size-full"
      viewBox={`${(left + right - width) / 2} ${(top + bottom - height) / 2} ${width} ${height}`}
    >
      {layout.links.map((link) => (
        <Line key={`${link.source.id}>${link.target.id}`} link={link} />
      ))}
      {layout.nodes.map((node) => (
        <Dot key={node.id} node={node} />
      ))}
    </svg>
  )
}
