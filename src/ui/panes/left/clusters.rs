//! The part of the panel that finds clusters and tells what was found.

use eframe::egui::{self, ComboBox, Ui};

use super::sliders::{Range, slider};
use crate::ui::command::Command;
use crate::ui::context::{Context, MapModel, ModelState};
use crate::ui::settings::Settings;
use crate::ui::widgets::{chip, faint, link, plural, section, thousands};
use crate::workspace::{ClusterMethod, ClusterParams, Column};

/// Paints it.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(model) = ctx.shown_model() else { return };
    section(ui, "Clusters");
    let mut params = ctx.settings.clusters;
    let before = params;
    let combo = ComboBox::from_id_salt("cluster method")
        .width(ui.available_width())
        .selected_text(params.method.name())
        .show_ui(ui, |ui| {
            for method in ClusterMethod::ALL {
                if ui.selectable_label(params.method == method, method.name()).clicked() {
                    params.method = method;
                }
            }
        });
    let name = format!("Clusters by {}", params.method.name());
    combo.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &name));
    faint(ui, about(params.method));
    let rows = model.map.layout.as_ref().map_or(0, |layout| layout.len());
    match params.method {
        ClusterMethod::KMeans => {
            let mut k = params.k as f32;
            slider(ui, "Clusters", &mut k, &Range { step: 1.0, ..Range::new(2.0, 60.0, 0) });
            params.k = k as usize;
            faint(ui, "Larger values give more, smaller clusters.");
        }
        ClusterMethod::Density => {
            let dimensions = if model.map.turns() { 3 } else { 2 };
            // Few points are blurred more, and the slider begins there.
            let least = ClusterParams { bandwidth: 0.005, ..params }.blur(rows, dimensions) * 100.0;
            let mut share = params.blur(rows, dimensions) * 100.0;
            if slider(ui, "Blur, % of the map", &mut share, &Range::new(least, 12.0, 1)) {
                params.bandwidth = share / 100.0;
            }
            faint(ui, "Larger values give fewer clusters.");
        }
        ClusterMethod::HdbscanMap | ClusterMethod::HdbscanVectors => {
            let mut fewest = params.fewest(rows) as f32;
            let most = (rows as f32 / 4.0).clamp(20.0, 2000.0);
            if slider(ui, "Fewest items", &mut fewest, &Range { log: true, step: 1.0, ..Range::new(3.0, most, 0) }) {
                params.min_size = Some(fewest as usize);
            }
            faint(ui, "Larger values give fewer, larger clusters.");
            let mut samples = params.min_samples as f32;
            slider(ui, "Neighbours to be dense", &mut samples, &Range { step: 1.0, ..Range::new(1.0, 30.0, 0) });
            params.min_samples = samples as usize;
            faint(ui, "Larger values leave more items in no cluster.");
        }
    }
    if params != before {
        ctx.send(Command::SetClusters(params));
    }
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        if chip(ui, "Find clusters", false).on_hover_text("With the settings above").clicked() {
            ctx.send(Command::FindClusters(model.card.id.clone()));
        }
        let mut named = ctx.settings.cluster_names;
        if ui.checkbox(&mut named, "Names on the map").changed() {
            ctx.send(Command::ShowClusterNames(named));
        }
    });
    let selected = model.selected(ctx.selection);
    if selected > 3 && selected < rows {
        let words = format!("Find clusters among {} selected", thousands(selected as u64));
        if link(ui, &words)
            .on_hover_text("Only the selected items are grouped and named; the others are in none")
            .clicked()
        {
            ctx.send(Command::ClusterSelection(model.card.id.clone()));
        }
    }
    if model.map.moment.is_some() && params.method.on_map() {
        faint(ui, "Clusters are those of the finished map, whichever moment of it is drawn.");
    }
    found(ui, ctx, model);
}

fn about(method: ClusterMethod) -> &'static str {
    match method {
        ClusterMethod::HdbscanMap => "Groups that the eye sees on this map, with the map's errors.",
        ClusterMethod::HdbscanVectors => "Dense groups in the original space; what is between them belongs nowhere.",
        ClusterMethod::KMeans => "Round groups in the original space; every item belongs somewhere.",
        ClusterMethod::Density => "Hills of this map's density; quick.",
    }
}

/// What is said while a layout runs and the clusters known are those of the map before.
fn of_before(map: &MapModel, settings: &Settings) -> Option<&'static str> {
    if map.live.is_none() || !map.clusters_are_old {
        return None;
    }
    let rows = map.layout.as_ref().map_or(0, |layout| layout.len());
    let unasked = settings.wants_clusters() && settings.clusters.method.is_quick(rows);
    Some(match settings.clusters.method {
        ClusterMethod::Density if unasked => "Clusters follow the map as it moves.",
        _ if unasked => "Clusters follow when the layout ends; those known are of the map before.",
        _ => "The clusters known are of the map before. Find clusters when the layout ends.",
    })
}

fn found(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let Some(found) = &model.map.clusters else { return };
    if model.map.shown().is_some_and(|shown| shown.all_equal) {
        faint(ui, "All vectors are equal: there is nothing to group.");
        return;
    }
    if let Some(words) = of_before(&model.map, ctx.settings) {
        faint(ui, words);
        return;
    }
    let none = found.noise() * 100.0;
    let rest = if none >= 0.5 { format!(", {none:.0} % of the items in none") } else { String::new() };
    let all = model.map.layout.as_ref().map_or(0, |layout| layout.len());
    let among = match found.rows.len() {
        rows if rows < all => format!(" among {} items", thousands(rows as u64)),
        _ => String::new(),
    };
    faint(ui, format!("{}{among}{rest}.", plural(found.len(), "cluster")));
    if !found.is_empty() && ctx.settings.colour_by != Column::Cluster && link(ui, "Colour by cluster").clicked() {
        ctx.send(Command::ColourBy(Column::Cluster));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::JobId;
    use crate::projection::{Method, TsneEngine};
    use crate::ui::context::LiveInfo;

    #[test]
    fn clusters_of_the_map_before_are_told_apart_while_a_layout_runs() {
        let live = LiveInfo {
            job: JobId(1),
            method: Method::Umap,
            engine: TsneEngine::Embedlens,
            paused: false,
            iteration: 3,
            iterations: 200,
            kl: f32::NAN,
            before: Some(Method::Pca),
        };
        let mut map = MapModel { live: Some(live), clusters_are_old: true, ..MapModel::default() };
        let mut settings = Settings::default();
        let said = |map: &MapModel, settings: &Settings| of_before(map, settings).unwrap_or_default();
        assert!(said(&map, &settings).contains("follow when the layout ends"));
        settings.clusters.method = ClusterMethod::Density;
        assert!(said(&map, &settings).contains("as it moves"));
        settings.cluster_names = false;
        assert!(said(&map, &settings).contains("Find clusters when"), "nothing finds them unasked");
        map.clusters_are_old = false;
        assert_eq!(of_before(&map, &settings), None, "found while it runs");
        map = MapModel { live: None, clusters_are_old: true, ..map };
        assert_eq!(of_before(&map, &settings), None);
    }
}
