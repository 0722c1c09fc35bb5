import { Handle, Position, ReactFlow, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import { MemoryRouter } from 'react-router'
import { DataSet } from 'vis-data/esnext'
import { Network } from 'vis-network/esnext'

import { Workbench } from '@/features/tree/components/family-tree-view'
import { layoutTree } from '@/features/tree/layout'
import '@/index.css'
import type { FamilyTree } from '@/lib/types'

import { makeFamily } from './family'

/**
 * Each way of drawing is given the same family, in memory, and the same box. Ready is the time from
 * there to the frame after the one that shows it; the others are spared the work of placing nodes
 * well by being given our places, whose making counts for everyone.
 */

const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))

const host = document.body.appendChild(document.createElement('div'))
host.style.cssText = 'width:1200px;height:900px'

async function until(done: () => boolean): Promise<void> {
  while (!done()) await nextFrame()
  await nextFrame()
}

async function showOurs(family: FamilyTree): Promise<void> {
  flushSync(() => {
    createRoot(host).render(
      <MemoryRouter initialEntries={['/?open=all']}>
        <Workbench tree={family} label="Bench" />
      </MemoryRouter>,
    )
  })
  await until(() => host.querySelector('canvas')?.dataset.painted === String(family.nodes.length))
}

async function showVis(family: FamilyTree): Promise<void> {
  const layout = layoutTree(family)
  const nodes = new DataSet(
    layout.nodes.map(({ id, name, x, y }) => ({ id, label: name, x, y, shape: 'dot', size: 6 })),
  )
  const edges = new DataSet(
    layout.links.map(({ source, target }, id) => ({ id, from: source.id, to: target.id })),
  )
  let drawn = false
  const network = new Network(
    host,
    { nodes, edges },
    { physics: false, interaction: { hideEdgesOnZoom: false }, layout: { improvedLayout: false } },
  )
  network.once('afterDrawing', () => {
    drawn = true
  })
  await until(() => drawn)
}

/** A dot with its name, as the other two draw. */
function Dot({ data }: NodeProps<Node<{ label: string }>>) {
  return (
    <div style={{ display: 'flex', gap: 4, fontSize: 11 }}>
      <Handle type="target" position={Position.Left} />
      <span style={{ width: 9, height: 9, borderRadius: 9, background: '#0a7' }} />
      {data.label}
      <Handle type="source" position={Position.Right} />
    </div>
  )
}
const nodeTypes = { dot: Dot }

async function showFlow(family: FamilyTree): Promise<void> {
  const layout = layoutTree(family)
  const nodes = layout.nodes.map(({ id, name, x, y }) => ({
    id,
    type: 'dot',
    position: { x, y },
    data: { label: name },
  }))
  const edges = layout.links.map(({ source, target }, id) => ({
    id: String(id),
    source: source.id,
    target: target.id,
  }))
  createRoot(host).render(
    <ReactFlow
      defaultNodes={nodes}
      defaultEdges={edges}
      nodeTypes={nodeTypes}
      fitView
      minZoom={0.0005}
      maxZoom={2.5}
    />,
  )
  await until(() => host.querySelectorAll('.react-flow__edge').length === edges.length)
}

const WAYS = { ours: showOurs, vis: showVis, flow: showFlow }

/** Milliseconds until a family of this size is to be seen. */
async function measureReady(way: keyof typeof WAYS, size: number): Promise<number> {
  const family = makeFamily(size)
  await document.fonts.load('450 11px "Inter Variable"')
  await nextFrame()
  const begun = performance.now()
  await WAYS[way](family)
  return performance.now() - begun
}

/** Milliseconds between frames while the wheel zooms in and out again about a point. */
async function measureFrames(way: keyof typeof WAYS, frames: number): Promise<number[]> {
  const target =
    way === 'flow' ? host.querySelector('.react-flow__pane') : host.querySelector('canvas')
  if (!target) throw new Error(`nothing to zoom in ${way}`)
  const box = target.getBoundingClientRect()
  const times: number[] = []
  let before = await nextFrame()
  for (let index = 0; index < frames; index += 1) {
    target.dispatchEvent(
      new WheelEvent('wheel', {
        deltaY: index < frames / 2 ? -60 : 60,
        clientX: box.left + box.width * 0.45,
        clientY: box.top + box.height * 0.4,
        bubbles: true,
        cancelable: true,
      }),
    )
    const now = await nextFrame()
    times.push(now - before)
    before = now
  }
  return times
}

declare global {
  interface Window {
    bench: { measureReady: typeof measureReady; measureFrames: typeof measureFrames }
  }
}
window.bench = { measureReady, measureFrames }
