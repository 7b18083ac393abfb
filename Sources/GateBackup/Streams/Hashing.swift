import GateCrypto

/// Counts and hashes what goes through to another sink, or nowhere.
final class HashingSink: ByteSink {
    private let stream = SHA256Stream()
    private let next: (any ByteSink)?
    private(set) var count = 0
    private(set) var hash: [UInt8] = []

    init(to next: (any ByteSink)? = nil) { self.next = next }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        count += bytes.count
        stream.update(bytes)
        try next?.write(bytes)
    }

    func finish() throws(BackupError) {
        hash = stream.finish()
        try next?.finish()
    }
}

/// Reads what was read before once more, then the rest.
final class PrefixedSource: ByteSource {
    private var prefix: ArraySlice<UInt8>
    private let rest: any ByteSource

    init(_ prefix: [UInt8], then rest: any ByteSource) {
        self.prefix = prefix[...]
        self.rest = rest
    }

    func read(into target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        guard !prefix.isEmpty else { return try rest.read(into: target) }
        let part = prefix.prefix(target.count)
        target.copyBytes(from: part)
        prefix = prefix.dropFirst(part.count)
        return part.count
    }
}

extension FileSource {
    /// SHA-256 of all that is left.
    package func hash() throws(BackupError) -> [UInt8] {
        let sink = HashingSink()
        try drain(to: sink)
        try sink.finish()
        return sink.hash
    }
}
