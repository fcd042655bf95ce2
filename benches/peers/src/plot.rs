//! The plot: one bar a contender, on a logarithmic scale.

use std::{error::Error, path::Path};

use plotters::prelude::*;

use crate::{
    case::{Case, Group},
    contender::Kind,
    results::{Results, Row},
};

const WIDTH: u32 = 900;
const LINE: u32 = 22;
const LEFT: i32 = 330;
const RIGHT: i32 = 70;
/// Where the bars begin, in nanoseconds: less is no more than noise.
const LEAST: f64 = 5.0;

struct Panel<'a> {
    title: String,
    rows: Vec<Row<'a>>,
}

/// Draws what allowed requests take above no middleware.
///
/// # Errors
///
/// The file cannot be written.
pub fn draw(results: &Results, file: &Path) -> Result<(), Box<dyn Error>> {
    let panels: Vec<_> = [Group::Service, Group::Router, Group::Inside, Group::Token]
        .into_iter()
        .map(|group| panel(results, group))
        .filter(|panel| !panel.rows.is_empty())
        .collect();
    let lines = panels.iter().map(|panel| panel.rows.len() + 3).sum::<usize>() + 1;
    let root = SVGBackend::new(file, (WIDTH, u32::try_from(lines)? * LINE)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = panels.iter().flat_map(|panel| &panel.rows).map(Row::above).fold(LEAST, f64::max);
    let mut top = 10;
    for panel in &panels {
        top = draw_panel(&root, panel, top, most)?;
    }
    root.present()?;
    Ok(())
}

fn panel(results: &Results, group: Group) -> Panel<'_> {
    let mut rows = results.rows(group, Case::Allowed);
    rows.retain(|row| row.contender.kind != Kind::Floor);
    rows.sort_by(|one, other| one.above().total_cmp(&other.above()));
    Panel { title: format!("{}, allowed: ns above no middleware", group.title()), rows }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_panel(root: &Area<'_>, panel: &Panel<'_>, mut top: i32, most: f64) -> Result<i32, Box<dyn Error>> {
    let (line, width) = (i32::try_from(LINE)?, i32::try_from(WIDTH)? - LEFT - RIGHT);
    let text = ("sans-serif", 14).into_font();
    root.draw(&Text::new(panel.title.clone(), (10, top), ("sans-serif", 16).into_font().color(&BLACK)))?;
    top += line + 4;
    for row in &panel.rows {
        let share = (row.above().max(LEAST) / LEAST).ln() / (most / LEAST).ln();
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let end = LEFT + (share * f64::from(width)) as i32 + 2;
        let name = row.contender.name.replace('`', "");
        root.draw(&Text::new(name, (10, top), text.clone().color(&BLACK)))?;
        root.draw(&Rectangle::new([(LEFT, top), (end, top + line - 6)], color(row.contender.kind).filled()))?;
        root.draw(&Text::new(format!("{:.0}", row.above()), (end + 6, top), text.clone().color(&BLACK)))?;
        top += line;
    }
    Ok(top + line)
}

fn color(kind: Kind) -> RGBColor {
    match kind {
        Kind::Ours => RGBColor(0x1b, 0x7f, 0x5c),
        Kind::Optimum => RGBColor(0x8a, 0xb6, 0xe8),
        Kind::ByHand => RGBColor(0xd9, 0xa4, 0x41),
        Kind::Peer | Kind::Floor => RGBColor(0xa9, 0xa9, 0xa9),
    }
}
