import Diffusion
import Tensors
import Testing

@Suite struct AutoencoderConfigurationTests {
  private func read(_ json: String) throws -> AutoencoderConfiguration {
    let folder = TemporaryFolder()
    return try AutoencoderConfiguration(path: folder.write(Array(json.utf8), name: "config.json"))
  }

  private static let start = #"{"_class_name": "AutoencoderKLCogVideoX""#

  @Test func `absent fields are CogVideoX-2B's`() throws {
    let configuration = try read(Self.start + "}")
    #expect(configuration == AutoencoderConfiguration())
    #expect(configuration.spatialCompression == 8 && configuration.frames(latents: 13) == 49 && configuration.latents(frames: 49) == 13)
    #expect(Tiling(configuration) == Tiling(height: 240, width: 360))
    // As many parameters as diffusers counts.
    #expect(try configuration.expectedTensors().reduce(0) { $0 + $1.shape.reduce(1, *) } == 215_583_907)
    let bytes = try configuration.residentBytes(.bfloat16)
    #expect(bytes.encoder == 244_952_192 && bytes.decoder == 332_601_868)
  }

  @Test func `fields of another model are read`() throws {
    let configuration = try AutoencoderConfiguration(path: Fixture("vae/tiled").folder + "/config.json")
    #expect(configuration.blockChannels == [6, 8] && configuration.layersPerBlock == 2 && configuration.latentChannels == 4)
    #expect(configuration.outChannels == 4 && configuration.groups == 2 && configuration.temporalCompression == 2)
    #expect(configuration.hasQuantization && configuration.hasPostQuantization && configuration.activation == .relu)
    #expect(configuration.epsilon == 1e-3 && configuration.scalingFactor == 0.7 && configuration.spatialCompression == 2)
  }

  @Test(arguments: [
    #""in_channels": 0"#, #""in_channels": -3"#, #""latent_channels": 1e30"#, #""latent_channels": 9223372036854775807"#,
    #""block_out_channels": []"#, #""block_out_channels": [128, 256]"#, #""block_out_channels": [128, 256, 256, 100000000]"#,
    #""block_out_channels": [128, 256, 256, 500]"#, #""block_out_channels": "wide""#, #""layers_per_block": 1000000"#,
    #""layers_per_block": 1.5"#,
    #""norm_num_groups": 0"#, #""norm_num_groups": 48"#, #""norm_eps": -1"#, #""norm_eps": 2"#, #""temporal_compression_ratio": 0"#,
    #""temporal_compression_ratio": 1e300"#, #""scaling_factor": 0"#, #""sample_height": 0"#, #""sample_width": -1"#, #""act_fn": "mish""#,
    #""down_block_types": ["DownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"]"#, #""up_block_types": ["CogVideoXUpBlock3D"]"#,
    #""use_quant_conv": true"#, #""use_post_quant_conv": true"#, #""use_quant_conv": "yes""#,
  ])
  func `a field that cannot be used is named`(field: String) throws {
    let name = field.split(separator: "\"")[0]
    do {
      _ = try read(Self.start + ", " + field + "}")
      Issue.record("\(field) was read")
    } catch let error as WeightsError {
      // What two fields say together may be told of the other one.
      let names = name == "block_out_channels" ? [name, "down_block_types", "norm_num_groups"] : [name]
      #expect(error.path.hasSuffix("config.json") && names.contains { error.description.contains($0) }, "\(error)")
    }
  }

  @Test func `another class is refused`() {
    #expect(throws: WeightsError.self) { try read(#"{"_class_name": "AutoencoderKL"}"#) }
    #expect(throws: WeightsError.self) { try read("{}") }
  }

  @Test func `a missing tensor and one of another shape are named`() throws {
    let fixture = Fixture("vae/plain")
    var configuration = try AutoencoderConfiguration(path: fixture.folder + "/config.json")
    let (weights, compute) = (try WeightFiles(folder: fixture.folder), try Compute(.float32, threads: 1))
    configuration.layersPerBlock = 2
    var failure = #expect(throws: WeightsError.self) { try VideoAutoencoder(configuration, weights, compute: compute) }
    #expect(failure?.tensor == "encoder.down_blocks.0.resnets.1.norm1.weight")
    configuration.layersPerBlock = 1
    configuration.latentChannels = 6
    failure = #expect(throws: WeightsError.self) { try VideoAutoencoder(configuration, weights, compute: compute) }
    #expect(failure?.tensor == "encoder.conv_out.conv.bias")
  }
}
