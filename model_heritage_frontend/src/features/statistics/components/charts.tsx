import {
  Bar,
  BarChart,
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  Tooltip,
  XAxis,
  YAxis,
  ZAxis,
} from 'recharts'

import { formatCompact, formatNumber, formatPercent } from '@/lib/format'

/** The charts alone: this module brings the drawing library, so it is loaded when it is needed. */

const TICK = { fill: 'var(--muted-foreground)', fontSize: 12 }
const FRAME = { width: 600, height: 220 }
const TOOLTIP = {
  contentStyle: {
    background: 'var(--popover)',
    border: '1px solid var(--border)',
    borderRadius: 10,
    color: 'var(--popover-foreground)',
    fontSize: 13,
    padding: '6px 10px',
  },
  itemStyle: { color: 'var(--popover-foreground)', padding: 0 },
  labelStyle: { fontWeight: 500 },
  isAnimationActive: false,
}

export interface Column {
  label: string
  value: number
}

interface ColumnChartProps {
  columns: Column[]
  /** What is counted. */
  name: string
}

/** Counts as columns. */
export function ColumnChart({ columns, name }: ColumnChartProps) {
  return (
    <ResponsiveContainer width="100%" height={FRAME.height} initialDimension={FRAME}>
      <BarChart
        data={columns}
        accessibilityLayer={false}
        margin={{ top: 6, right: 4, bottom: 0, left: 0 }}
      >
        <CartesianGrid vertical={false} stroke="var(--border)" />
        <XAxis
          dataKey="label"
          tick={TICK}
          tickLine={false}
          axisLine={{ stroke: 'var(--border)' }}
          minTickGap={12}
        />
        <YAxis
          tick={TICK}
          tickLine={false}
          axisLine={false}
          width={40}
          allowDecimals={false}
          tickFormatter={formatCompact}
        />
        <Tooltip
          {...TOOLTIP}
          cursor={{ fill: 'var(--muted)', opacity: 0.6 }}
          formatter={(value) => [formatNumber(Number(value)), name]}
        />
        <Bar
          dataKey="value"
          fill="var(--primary)"
          radius={[4, 4, 0, 0]}
          maxBarSize={56}
          isAnimationActive={false}
        />
      </BarChart>
    </ResponsiveContainer>
  )
}

export interface CalibrationPoint {
  confidence: number
  right: number
  edges: number
}

interface CalibrationChartProps {
  points: CalibrationPoint[]
  names: { confidence: string; right: string; edges: string }
}

/** Share that is right over what was said; on the diagonal both agree. */
export function CalibrationChart({ points, names }: CalibrationChartProps) {
  const axis = {
    type: 'number' as const,
    domain: [0, 1],
    ticks: [0, 0.25, 0.5, 0.75, 1],
    tick: TICK,
    tickLine: false,
    axisLine: { stroke: 'var(--border)' },
    tickFormatter: formatPercent,
  }
  return (
    <ResponsiveContainer width="100%" height={FRAME.height} initialDimension={FRAME}>
      <ScatterChart accessibilityLayer={false} margin={{ top: 8, right: 14, bottom: 0, left: 0 }}>
        <CartesianGrid stroke="var(--border)" />
        <XAxis {...axis} dataKey="confidence" name={names.confidence} />
        <YAxis {...axis} dataKey="right" name={names.right} width={48} />
        <ZAxis dataKey="edges" name={names.edges} range={[36, 420]} />
        <ReferenceLine
          segment={[
            { x: 0, y: 0 },
            { x: 1, y: 1 },
          ]}
          stroke="var(--muted-foreground)"
          strokeDasharray="5 4"
        />
        <Tooltip
          {...TOOLTIP}
          cursor={false}
          formatter={(value, name) => [
            name === names.edges ? formatNumber(Number(value)) : formatPercent(Number(value)),
            name,
          ]}
        />
        <Scatter data={points} fill="var(--primary)" fillOpacity={0.75} isAnimationActive={false} />
      </ScatterChart>
    </ResponsiveContainer>
  )
}
