import GateCompression

/// Compresses what is written to it.
final class GzipSink: ByteSink {
    private let encoder: GzipEncoder
    private let next: any ByteSink
    private let buffer = IOBuffer()

    /// Beyond it databases get hardly smaller, and it takes twice as long.
    private static let level: Int32 = 5

    init(to next: any ByteSink) throws(BackupError) {
        guard let encoder = GzipEncoder(level: Self.level) else { throw BackupError(.failed, "there is no memory for compressing") }
        self.encoder = encoder
        self.next = next
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        encoder.give(bytes)
        try take(.open)
    }

    func finish() throws(BackupError) {
        encoder.give(UnsafeRawBufferPointer(start: nil, count: 0))
        try take(.finished)
        try next.finish()
    }

    private func take(_ ending: GzipEncoder.Ending) throws(BackupError) {
        while true {
            let count = encoder.take(into: buffer.bytes, ending)
            if count > 0 { try next.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])) }
            if count < buffer.bytes.count { return }
        }
    }
}

/// Decompresses what another source gives: one member of the gzip format, and nothing after it.
final class GzipSource: ByteSource {
    private let decoder: GzipDecoder
    private let source: any ByteSource
    private let buffer = IOBuffer()
    /// Of what was read, not yet decompressed.
    private var waiting = 0..<0
    private var isOver = false

    init(_ source: any ByteSource) throws(BackupError) {
        guard let decoder = GzipDecoder() else { throw BackupError(.failed, "there is no memory for decompressing") }
        self.decoder = decoder
        self.source = source
    }

    func read(into target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        while !isOver {
            if waiting.isEmpty {
                waiting = 0..<(try source.read(into: buffer.bytes))
                guard !waiting.isEmpty else { throw BackupError(.damaged, "the archive is cut short") }
            }
            let step: GzipDecoder.Step
            do throws(GzipDecoder.Damage) {
                step = try decoder.decode(UnsafeRawBufferPointer(rebasing: buffer.bytes[waiting]), into: target)
            } catch {
                throw BackupError(.damaged, "the archive is damaged (gzip: \(error.reason))")
            }
            waiting = waiting.lowerBound + step.consumed..<waiting.upperBound
            if step.isOver { try requireEnd() }
            if step.produced > 0 { return step.produced }
        }
        return 0
    }

    private func requireEnd() throws(BackupError) {
        isOver = true
        let isLast = waiting.isEmpty ? try source.read(into: buffer.bytes) == 0 : false
        guard isLast else { throw BackupError(.damaged, "the archive is damaged: something follows its end") }
    }
}
