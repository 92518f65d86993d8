/** The smallest rectangle around points, at any angle. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle that may be turned. Its width is the direction in which text runs. */
export interface Rectangle {
  readonly center: Point;
  readonly width: number;
  readonly height: number;
  /** Clockwise from the horizontal, in radians, from -π/2 to π/2. */
  readonly angle: number;
}

/** The smallest rectangle has a side on one of the hull's edges. */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  const angles = hull.map((point, index) => {
    const next = hull[(index + 1) % hull.length];
    return Math.atan2(next.y - point.y, next.x - point.x);
  });
  const candidates = angles.map((angle) => boundingRectangle(hull, angle));
  const smallest = candidates.reduce((best, one) =>
    one.width * one.height < best.width * best.height - 1e-9 ? one : best,
  );
  return alongText(smallest);
}

/** The corners, clockwise from the top left as the text runs. */
export function corners({ center, width, height, angle }: Rectangle): Point[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([right, down]) => {
    const [dx, dy] = [(right * width) / 2, (down * height) / 2];
    return { x: center.x + dx * cos - dy * sin, y: center.y + dx * sin + dy * cos };
  });
}

function boundingRectangle(points: readonly Point[], angle: number): Rectangle {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    const [along, across] = [x * cos + y * sin, y * cos - x * sin];
    [left, right] = [Math.min(left, along), Math.max(right, along)];
    [top, bottom] = [Math.min(top, across), Math.max(bottom, across)];
  }
  const [along, across] = [(left + right) / 2, (top + bottom) / 2];
  return {
    center: { x: along * cos - across * sin, y: along * sin + across * cos },
    width: right - left,
    height: bottom - top,
    angle,
  };
}

/** Text runs along the longer side, unless that is only a little longer and steep. Text is not upside down. */
function alongText(rectangle: Rectangle): Rectangle {
  const quarter = Math.PI / 2;
  let { width, height } = rectangle;
  // To an angle from -45 to 45 degrees.
  const turns = Math.round(rectangle.angle / quarter);
  let angle = rectangle.angle - turns * quarter;
  if (turns % 2 !== 0) [width, height] = [height, width];
  // PaddleOCR turns lines that are one and a half times as high as wide.
  if (height >= 1.5 * width) {
    [width, height] = [height, width];
    angle += angle <= 0 ? quarter : -quarter;
  }
  return { center: rectangle.center, width, height, angle };
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const point of ordered) {
      while (chain.length >= 2 && turn(chain[chain.length - 2], chain[chain.length - 1], point) <= 0)
        chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  const hull = [...half(sorted), ...half(sorted.reverse())];
  return hull.length > 0 ? hull : points.slice(0, 1);
}

function turn(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
