// Points of a map: one instance per point, a strip of four corners each, an anti-aliased disc inside.
// Colours are sRGB with straight alpha and are blended as egui blends: in sRGB, premultiplied.

struct View {
    // World point in the middle of the viewport.
    centre: vec2<f32>,
    // Physical pixels per world unit.
    scale: f32,
    // Radius of the disc in physical pixels.
    radius: f32,
    // Size of the viewport in physical pixels.
    size: vec2<f32>,
    // Multiplies every opacity.
    opacity: f32,
    // Width of the ring around the disc in physical pixels; 0 for none.
    ring_width: f32,
    ring: vec4<f32>,
};

@group(0) @binding(0) var<uniform> view: View;

struct Corner {
    @builtin(position) position: vec4<f32>,
    // Place within the square, in physical pixels from the point.
    @location(0) offset: vec2<f32>,
    @location(1) @interpolate(flat) colour: vec4<f32>,
};

@vertex
fn vs_main(
    @builtin(vertex_index) index: u32,
    @location(0) world: vec2<f32>,
    @location(1) colour: vec4<f32>,
) -> Corner {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    let reach = max(view.radius, 0.6) + view.ring_width + 1.0;
    let offset = corner * reach;
    var out: Corner;
    // An invisible point, and one that is nowhere, collapses outside the viewport.
    let placed = colour.a > 0.0 && abs(world.x) < 1e30 && abs(world.y) < 1e30;
    let pixel = (world - view.centre) * view.scale + offset;
    out.position = select(vec4<f32>(2.0, 2.0, 2.0, 1.0), vec4<f32>(pixel * 2.0 / view.size, 0.0, 1.0), placed);
    out.offset = offset;
    out.colour = colour;
    return out;
}

// Premultiplied sRGB of one pixel.
fn disc(in: Corner) -> vec4<f32> {
    let distance = length(in.offset);
    // A disc smaller than a pixel keeps its area by being fainter.
    let drawn = max(view.radius, 0.6);
    let strength = min(view.radius * view.radius / 0.36, 1.0);
    let inner = clamp(drawn + 0.5 - distance, 0.0, 1.0) * strength;
    let alpha = in.colour.a * view.opacity;
    let fill = vec4<f32>(in.colour.rgb, 1.0) * alpha * inner;
    let outer = clamp(drawn + view.ring_width + 0.5 - distance, 0.0, 1.0);
    let ring = vec4<f32>(view.ring.rgb, 1.0) * (view.ring.a * in.colour.a * outer * step(0.001, view.ring_width));
    return fill + ring * (1.0 - fill.a);
}

@fragment
fn fs_gamma(in: Corner) -> @location(0) vec4<f32> {
    let colour = disc(in);
    if colour.a <= 0.0 {
        discard;
    }
    return colour;
}

// For targets that convert from linear themselves.
@fragment
fn fs_linear(in: Corner) -> @location(0) vec4<f32> {
    let colour = disc(in);
    if colour.a <= 0.0 {
        discard;
    }
    let straight = colour.rgb / colour.a;
    let low = straight / 12.92;
    let high = pow((straight + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, straight < vec3<f32>(0.04045)) * colour.a, colour.a);
}
