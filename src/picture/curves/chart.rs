//! A curve on paper.

use plotters::prelude::*;

use super::{
    axis::Axis,
    curve::{Curve, Point, Shape},
};
use crate::picture::svg::{Anchor, Drawing, LINE, length};

/// The size of the paper, and what is left of it for the texts above and below the axes.
const WIDTH: u32 = 720;
const HEIGHT: u32 = 440;
const ABOVE: u32 = 72;
const BELOW: u32 = 36;
/// Vermillion of Okabe and Ito's colours, which is read on light paper and on dark.
const SERIES: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// Draws a curve whose values can be drawn.
pub(super) fn draw(curve: &Curve) -> String {
    let published = || curve.published.iter().flat_map(|(_, points)| points);
    let widths = match curve.shape {
        Shape::Bars { width } => width,
        _ => 0.0,
    };
    let points = || curve.points.iter();
    let xs = points().flat_map(|point| [point.x, point.x + widths]).chain(published().map(|(x, _)| *x));
    let ys =
        points().flat_map(|point| [point.mean, point.low, point.high]).chain(published().map(|(_, y)| *y));
    let (x, y) = (Axis::new(xs), Axis::new(ys));
    let chart = plotted(curve, &x, &y).expect("a string takes everything");
    let mut drawing = Drawing::default();
    // Black is whatever is read on the paper.
    drawing.add(&chart.replace("\"#000000\"", "\"currentColor\""));
    write_texts(&mut drawing, curve, &x, &y);
    drawing.finish(WIDTH.into(), HEIGHT.into(), &curve.title)
}

/// Returns what `plotters` draws, without the element around it.
fn plotted(
    curve: &Curve,
    x: &Axis,
    y: &Axis,
) -> Result<String, DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(ABOVE)
            .margin_bottom(BELOW)
            .margin_right(32)
            .margin_left(8)
            .x_label_area_size(28)
            .y_label_area_size(64)
            .build_cartesian_2d(x.from..x.to, y.from..y.to)?;
        chart
            .configure_mesh()
            .x_labels(8)
            .y_labels(6)
            .label_style(("monospace", 12).into_font())
            .x_label_formatter(&|place| x.label(*place))
            .y_label_formatter(&|place| y.label(*place))
            .axis_style(BLACK)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        let at = |point: &Point, value: f64| (x.place(point.x), y.place(value));
        let means = curve.points.iter().map(|point| at(point, point.mean));
        let line = SERIES.stroke_width(2);
        match curve.shape {
            Shape::Line => {
                let lows = curve.points.iter().map(|point| at(point, point.low));
                let highs = curve.points.iter().rev().map(|point| at(point, point.high));
                let band: Vec<_> = lows.chain(highs).collect();
                chart.draw_series([Polygon::new(band, SERIES.mix(0.25))])?;
                chart.draw_series(LineSeries::new(means, line))?;
            }
            Shape::Marks => {
                chart.draw_series(LineSeries::new(means.clone(), SERIES))?;
                let intervals = curve
                    .points
                    .iter()
                    .map(|point| PathElement::new([at(point, point.low), at(point, point.high)], line));
                chart.draw_series(intervals)?;
                chart.draw_series(means.map(|place| Circle::new(place, 4, SERIES.filled())))?;
            }
            Shape::Steps => {
                let mut steps = Vec::new();
                for (place, value) in means {
                    if let Some((_, before)) = steps.last().copied() {
                        steps.push((place, before));
                    }
                    steps.push((place, value));
                }
                chart.draw_series(LineSeries::new(steps, line))?;
            }
            Shape::Bars { width } => {
                let bars = curve.points.iter().map(|point| {
                    let corners =
                        [(x.place(point.x), y.place(0.0)), (x.place(point.x + width), y.place(point.mean))];
                    Rectangle::new(corners, SERIES.mix(0.6).filled())
                });
                chart.draw_series(bars)?;
            }
        }
        if let Some((_, published)) = &curve.published {
            let places = published.iter().map(|(px, py)| (x.place(*px), y.place(*py)));
            chart.draw_series(DashedLineSeries::new(places, 6, 4, BLACK.stroke_width(1)))?;
        }
        root.present()?;
    }
    let inside = svg.split_once('>').map_or("", |(_, inside)| inside);
    Ok(inside.trim().trim_end_matches("</svg>").to_owned())
}

/// Writes what the axes are of, and what the lines are.
fn write_texts(drawing: &mut Drawing, curve: &Curve, x: &Axis, y: &Axis) {
    let (left, right) = (16.0, f64::from(WIDTH) - 16.0);
    let bottom = f64::from(HEIGHT) - 18.0;
    drawing.text(right, bottom, Anchor::End, "", &x.named(&curve.x));
    drawing.text(left, 18.0, Anchor::Start, "", &y.named(&curve.y));
    let series = match curve.shape {
        Shape::Line => "━ median, ░ the middle 80 % of the blocks",
        Shape::Marks => "● mean, ┃ 95 % interval",
        Shape::Steps | Shape::Bars { .. } => "",
    };
    drawing.text(left, 18.0 + LINE + 4.0, Anchor::Start, "quiet", series);
    if let Some((name, _)) = &curve.published {
        let text = format!("┄ {name}");
        // Beside the other if there is room.
        let beside = left + length(series) + 24.0;
        let has_room = beside + length(&text) <= right;
        let (x, line) = if has_room { (beside, 1.0) } else { (left, 2.0) };
        drawing.text(x, 18.0 + line * (LINE + 4.0), Anchor::Start, "quiet", &text);
    }
}
