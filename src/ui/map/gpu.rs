//! Points on the graphics processor: one buffer of places, one of colours, and per frame nothing but a few numbers.
//!
//! Draws no text, no hover and no lasso (those are shapes over it). Invariant: places are uploaded only when the layout's id
//! changes, colours only when the styles' id does; a map's buffers live exactly as long as its [`Buffers`] handle.

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use eframe::egui::{self, PaintCallbackInfo};
use eframe::egui_wgpu::{self, CallbackResources, CallbackTrait, RenderState, ScreenDescriptor};
use eframe::wgpu;

use crate::picture::{Camera, Colour, FrontLook, Layout, Styles, paint_order};

const SHADER: &str = include_str!("../../../assets/shaders/points.wgsl");

/// Makes the pipeline for all maps of a window. Call once when the window is made; drawing a map without it draws nothing.
///
/// The window must be without multisampling and depth buffer, as eframe's are by default.
pub fn register(render_state: &RenderState) {
    let points = Points::new(&render_state.device, render_state.target_format);
    render_state.renderer.write().callback_resources.insert(points);
}

/// What all maps share.
struct Points {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

impl Points {
    fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let label = Some("points of a map");
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(SHADER.into()),
        });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label,
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: std::num::NonZeroU64::new(size_of::<View>() as u64),
                },
                count: None,
            }],
        });
        let buffers = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = pipeline(device, format, (&module, &buffers));
        Self { pipeline, layout }
    }
}

/// Four corners an instance, blended as egui blends, in the target's own colour space.
fn pipeline(
    device: &wgpu::Device,
    format: wgpu::TextureFormat,
    (module, layout): (&wgpu::ShaderModule, &wgpu::PipelineLayout),
) -> wgpu::RenderPipeline {
    let instance = |stride: usize, attributes| wgpu::VertexBufferLayout {
        array_stride: stride as u64,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes,
    };
    let places = wgpu::vertex_attr_array![0 => Float32x2];
    let colours = wgpu::vertex_attr_array![1 => Unorm8x4];
    let over = wgpu::BlendComponent {
        src_factor: wgpu::BlendFactor::One,
        dst_factor: wgpu::BlendFactor::OneMinusSrcAlpha,
        operation: wgpu::BlendOperation::Add,
    };
    let target = wgpu::ColorTargetState {
        format,
        blend: Some(wgpu::BlendState { color: over, alpha: over }),
        write_mask: wgpu::ColorWrites::ALL,
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("points of a map"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vs_main"),
            buffers: &[Some(instance(8, &places)), Some(instance(4, &colours))],
            compilation_options: wgpu::PipelineCompilationOptions::default(),
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(if format.is_srgb() { "fs_linear" } else { "fs_gamma" }),
            targets: &[Some(target)],
            compilation_options: wgpu::PipelineCompilationOptions::default(),
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// The numbers of one pass, as the shader reads them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct View {
    centre: [f32; 2],
    scale: f32,
    radius: f32,
    size: [f32; 2],
    opacity: f32,
    ring_width: f32,
    ring: [f32; 4],
}

/// One map's buffers; the default is empty and fills itself at the first drawing. Dropping it frees them.
#[derive(Clone, Default)]
pub struct Buffers(Arc<Mutex<Option<Filled>>>);

struct Filled {
    /// Ids of the layout and the styles in the buffers.
    holds: [u64; 2],
    all: Pass,
    front: Pass,
}

/// The instances of one pass and its numbers.
struct Pass {
    places: Growing,
    colours: Growing,
    view: wgpu::Buffer,
    group: wgpu::BindGroup,
    len: u32,
}

impl Pass {
    fn new(device: &wgpu::Device, points: &Points) -> Self {
        let view = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view of a map"),
            size: size_of::<View>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("view of a map"),
            layout: &points.layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: view.as_entire_binding() }],
        });
        Self { places: Growing(None), colours: Growing(None), view, group, len: 0 }
    }

    fn draw(&self, render_pass: &mut wgpu::RenderPass<'static>) {
        if let (Some(places), Some(colours), 1..) = (&self.places.0, &self.colours.0, self.len) {
            render_pass.set_bind_group(0, &self.group, &[]);
            render_pass.set_vertex_buffer(0, places.slice(..));
            render_pass.set_vertex_buffer(1, colours.slice(..));
            render_pass.draw(0..4, 0..self.len);
        }
    }
}

/// A buffer that is made anew only when it is too small.
struct Growing(Option<wgpu::Buffer>);

impl Growing {
    fn write(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let fits = self.0.as_ref().is_some_and(|buffer| buffer.size() >= bytes.len() as u64);
        if !fits {
            self.0 = Some(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("points of a map"),
                size: (bytes.len() as u64).next_multiple_of(4096),
                usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
        }
        if let Some(buffer) = &self.0 {
            queue.write_buffer(buffer, 0, bytes);
        }
    }
}

/// One drawing of one map.
pub(super) struct Drawing {
    pub(super) buffers: Buffers,
    pub(super) layout: Arc<Layout>,
    pub(super) styles: Arc<Styles>,
    /// The view, its screen unit is the point.
    pub(super) camera: Camera,
    /// Where on the screen, in points.
    pub(super) rect: egui::Rect,
    /// Radius of a point, in points.
    pub(super) radius: f32,
    /// Opacity of all but the selected points, 0 to 1.
    pub(super) opacity: f32,
    /// The ring around selected points.
    pub(super) ring: Colour,
}

impl Drawing {
    /// The shape to add to a painter.
    pub(super) fn into_shape(self) -> egui::Shape {
        egui::Shape::Callback(egui_wgpu::Callback::new_paint_callback(self.rect, self))
    }

    fn upload(&self, filled: &mut Filled, device: &wgpu::Device, queue: &wgpu::Queue) {
        let now = [self.layout.id(), self.styles.id()];
        if filled.holds == now {
            return;
        }
        let (points, colours) = (self.layout.points(), self.styles.colours());
        let len = points.len().min(colours.len());
        let order = paint_order(len);
        let new_layout = filled.holds[0] != now[0] || filled.all.len as usize != len;
        let mut scratch: Vec<[f32; 2]> = Vec::new();
        if new_layout {
            scratch.extend((0..len).map(|index| points[order(index)]));
            filled.all.places.write(device, queue, bytemuck::cast_slice(&scratch));
        }
        if new_layout || filled.holds[1] != now[1] {
            let ordered: Vec<[u8; 4]> = (0..len).map(|index| colours[order(index)].0).collect();
            filled.all.colours.write(device, queue, bytemuck::cast_slice(&ordered));
        }
        filled.all.len = len as u32;
        let front: Vec<usize> = self.styles.front().iter().map(|&p| p as usize).filter(|&p| p < len).collect();
        scratch.clear();
        scratch.extend(front.iter().map(|&position| points[position]));
        let in_front: Vec<[u8; 4]> = front.iter().map(|&position| colours[position].0).collect();
        filled.front.places.write(device, queue, bytemuck::cast_slice(&scratch));
        filled.front.colours.write(device, queue, bytemuck::cast_slice(&in_front));
        filled.front.len = front.len() as u32;
        filled.holds = now;
    }

    /// The numbers of the pass over all points and of the one over the selected.
    fn views(&self, pixels_per_point: f32) -> [View; 2] {
        let size = [self.rect.width() * pixels_per_point, self.rect.height() * pixels_per_point].map(f32::round);
        let all = View {
            centre: self.camera.centre,
            scale: self.camera.scale * pixels_per_point,
            radius: self.radius * pixels_per_point,
            size: size.map(|side| side.max(1.0)),
            opacity: self.opacity,
            ring_width: 0.0,
            ring: self.ring.0.map(|channel| f32::from(channel) / 255.0),
        };
        let look = FrontLook::of(self.styles.front().len(), self.radius);
        let front = View {
            radius: look.radius * pixels_per_point,
            ring_width: look.ring * pixels_per_point,
            opacity: 1.0,
            ..all
        };
        [all, front]
    }
}

impl CallbackTrait for Drawing {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        if let Some(points) = resources.get::<Points>() {
            let mut slot = self.buffers.0.lock().unwrap_or_else(PoisonError::into_inner);
            let filled = slot.get_or_insert_with(|| Filled {
                holds: [0; 2],
                all: Pass::new(device, points),
                front: Pass::new(device, points),
            });
            self.upload(filled, device, queue);
            let [all, front] = self.views(screen.pixels_per_point);
            queue.write_buffer(&filled.all.view, 0, bytemuck::bytes_of(&all));
            queue.write_buffer(&filled.front.view, 0, bytemuck::bytes_of(&front));
        }
        Vec::new()
    }

    fn paint(&self, _: PaintCallbackInfo, render_pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        let slot = self.buffers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(points), Some(filled)) = (resources.get::<Points>(), slot.as_ref()) {
            render_pass.set_pipeline(&points.pipeline);
            filled.all.draw(render_pass);
            filled.front.draw(render_pass);
        }
    }
}
