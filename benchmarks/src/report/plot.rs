//! Draws one plot: time against size on logarithmic axes, one line a contender, as SVG text.
//!
//! Owns colours, axes and labels; must not know what the lines mean, except that ours stands out.

use anyhow::{Result, anyhow};
use plotters::prelude::IntoLogRange;
use plotters::prelude::{
    BLACK, ChartBuilder, Circle, Color, IntoDrawingArea, LineSeries, PathElement, RGBColor,
    SVGBackend, SeriesLabelPosition, WHITE,
};

use crate::data::document::Size;
use crate::units::time;

/// One contender.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What is drawn.
#[derive(Debug)]
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) size: &'a str,
    pub(super) lines: Vec<Line>,
}

/// Colours that are told apart by most people (after Okabe and Ito), beginning with ours.
const COLOURS: [RGBColor; 9] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x99, 0x99, 0x99),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x7a, 0x52, 0xa1),
];

/// More lines than this cannot be read in a minute.
const MOST_LINES: usize = COLOURS.len();

impl Plot<'_> {
    /// The plot as an `svg` element.
    pub(super) fn svg(&self) -> Result<String> {
        let mut text = String::new();
        self.draw(&mut text)
            .map_err(|error| anyhow!("draw plot {}: {error}", self.title))?;
        // The XML declaration cannot stand in a page.
        Ok(text
            .find("<svg")
            .map_or(text.clone(), |start| text[start..].to_owned()))
    }

    fn draw(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let area = SVGBackend::with_string(text, (640, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let points = || {
            self.lines
                .iter()
                .flat_map(|line| line.points.iter().copied())
        };
        let (left, right) = range(points().map(|point| point.0));
        let (bottom, top) = range(points().map(|point| point.1));
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(10)
            .margin_right(35)
            .x_label_area_size(40)
            .y_label_area_size(70)
            .build_cartesian_2d(
                (left..right).log_scale(),
                (bottom / 1.5..top * 1.5).log_scale(),
            )?;
        let in_bytes = self.size.contains("bytes");
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .x_desc(self.size)
            .x_label_formatter(&|x| {
                if in_bytes {
                    Size(whole(*x)).to_string()
                } else {
                    whole(*x).to_string()
                }
            })
            .y_label_formatter(&|y| time(whole(*y)))
            .draw()?;
        for (index, line) in self.lines.iter().take(MOST_LINES).enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let style = colour.stroke_width(if line.name == "ours" { 4 } else { 2 });
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))?
                .label(line.name.as_str())
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style));
            chart.draw_series(
                line.points
                    .iter()
                    .map(|point| Circle::new(*point, 3, colour.filled())),
            )?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .label_font(("sans-serif", 12))
            .draw()?;
        area.present()?;
        Ok(())
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and times are positive"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}
