import Diffusion
import Glibc
import Tensors

/// A transformer's folder with random weights in bfloat16: for what a real one's numbers do not matter to.
struct RandomModel {
  let configuration: TransformerConfiguration

  init(_ configuration: TransformerConfiguration) { self.configuration = configuration }

  func write(to folder: String) throws {
    mkdir(folder, 0o755)
    mkdir(folder + "/transformer", 0o755)
    mkdir(folder + "/scheduler", 0o755)
    let c = configuration
    try write(
      """
      {"_class_name": "CogVideoXTransformer3DModel", "num_attention_heads": \(c.heads), "attention_head_dim": \(c.headSize),
       "in_channels": \(c.inChannels), "out_channels": \(c.outChannels), "time_embed_dim": \(c.timeWidth), "text_embed_dim": \(c.textWidth),
       "num_layers": \(c.layers), "sample_width": \(c.sampleWidth), "sample_height": \(c.sampleHeight), "sample_frames": \(c.sampleFrames),
       "use_rotary_positional_embeddings": \(c.isRotary)}
      """, folder + "/transformer/config.json")
    try write(
      """
      {"_class_name": "CogVideoXDDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
       "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "snr_shift_scale": 3.0, "timestep_spacing": "trailing",
       "clip_sample": false}
      """, folder + "/scheduler/scheduler_config.json")

    let tensors = try c.tensors()
    var entries: [String] = []
    var end = 0
    for tensor in tensors {
      let size = tensor.shape.reduce(2, *)
      let shape = tensor.shape.map { "\($0)" }.joined(separator: ",")
      entries.append("\"\(tensor.name)\":{\"dtype\":\"BF16\",\"shape\":[\(shape)],\"data_offsets\":[\(end),\(end + size)]}")
      end += size
    }
    var header = "{" + entries.joined(separator: ",") + "}"
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let path = folder + "/transformer/diffusion_pytorch_model.safetensors"
    guard let file = fopen(path, "wb") else { throw WeightsError(.unreadable, path: path, "cannot be written") }
    defer { fclose(file) }
    var length = UInt64(header.utf8.count).littleEndian
    fwrite(&length, 8, 1, file)
    fputs(header, file)
    // The same million numbers of about N(0, 1) over and over, scaled to what the layer takes.
    var state: UInt64 = 1
    let numbers = (0..<1 << 20).map { _ -> Float in
      var sum: Float = 0
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        sum += Float(state >> 40) / Float(1 << 24) - 0.5
      }
      return sum * 1.7
    }
    for tensor in tensors {
      let fanIn = Float(tensor.shape.dropFirst().reduce(1, *))
      let scale = tensor.shape.count > 1 ? 1 / fanIn.squareRoot() : 0.1
      let offset: Float = tensor.shape.count == 1 && tensor.name.contains("norm") && tensor.name.hasSuffix("weight") ? 1 : 0
      let bits = numbers.map { UInt16(truncatingIfNeeded: (offset + $0 * scale).bitPattern >> 16) }
      var left = tensor.shape.reduce(1, *)
      while left > 0 {
        let count = min(left, bits.count)
        guard fwrite(bits, 2, count, file) == count else { throw WeightsError(.unreadable, path: path, "cannot be written in full") }
        left -= count
      }
    }
  }

  private func write(_ text: String, _ path: String) throws {
    guard let file = fopen(path, "wb") else { throw WeightsError(.unreadable, path: path, "cannot be written") }
    defer { fclose(file) }
    fputs(text, file)
  }
}

/// A folder for a random model, gone when this is.
final class ScratchFolder {
  let path: String

  init() {
    var template = Array("/tmp/diffusion-bench-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for file in ["transformer/config.json", "transformer/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"] {
      unlink(path + "/" + file)
    }
    for folder in ["/transformer", "/scheduler", ""] { rmdir(path + folder) }
  }
}
