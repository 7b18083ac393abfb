import GateCrypto
import NIOCore

/// What has been written and not sealed. Several writes become one record, large ones several.
struct OutgoingPlaintext {
    /// Sealed at once when so many bytes have gathered.
    static let gathered = 64 << 10
    /// The most plaintext whose records go into one buffer.
    static let portion = 64 << 10

    private var writes: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private(set) var byteCount = 0
    private var sizes = RecordSizes()

    var isEmpty: Bool { writes.isEmpty }

    mutating func append(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        writes.append((bytes, promise))
        byteCount += bytes.readableBytes
    }

    /// Drops everything. The promises are the caller's to fail, once nothing accesses this any more: whoever hears of it may write again.
    mutating func takeAll() -> [EventLoopPromise<Void>] {
        defer {
            writes = []
            byteCount = 0
        }
        return writes.compactMap(\.promise)
    }

    /// The next records, and the promise of the writes that end in them. Where this throws, all promises are here still.
    mutating func sealNext(_ engine: TLSEngine) throws(TLSError) -> (ByteBuffer, EventLoopPromise<Void>?)? {
        guard !writes.isEmpty else { return nil }
        if writes.count == 1, byteCount <= sizes.current {
            var sealed = ByteBufferAllocator().buffer(capacity: byteCount + TLSEngine.recordOverhead)
            try sealed.seal(writes[0].bytes.readableBytesView, engine)
            let (bytes, promise) = writes.removeLast()
            byteCount = 0
            sizes.sent(bytes.readableBytes)
            return (sealed, promise)
        }
        return try sealPortion(engine)
    }

    private mutating func sealPortion(_ engine: TLSEngine) throws(TLSError) -> (ByteBuffer, EventLoopPromise<Void>?) {
        var budget = min(byteCount, Self.portion)
        var sealed = ByteBufferAllocator().buffer(capacity: budget + (budget / sizes.current + 1) * TLSEngine.recordOverhead)
        var promises: [EventLoopPromise<Void>] = []
        var done = 0
        var scratch = ByteBuffer()
        defer { writes.removeFirst(done) }
        do throws(TLSError) {
            while budget > 0 {
                let size = min(sizes.current, budget)
                if writes[done].bytes.readableBytes >= size {
                    try sealed.seal(writes[done].bytes.readableBytesView.prefix(size), engine)
                    writes[done].bytes.moveReaderIndex(forwardBy: size)
                } else {
                    scratch.clear(minimumCapacity: size)
                    while scratch.readableBytes < size {
                        if var part = writes[done].bytes.readSlice(
                            length: min(size - scratch.readableBytes, writes[done].bytes.readableBytes))
                        {
                            scratch.writeBuffer(&part)
                        }
                        takeFinished(&done, &promises)
                    }
                    try sealed.seal(scratch.readableBytesView, engine)
                }
                takeFinished(&done, &promises)
                sizes.sent(size)
                budget -= size
                byteCount -= size
            }
            takeFinished(&done, &promises)
        } catch {
            writes += promises.map { (ByteBuffer(), $0) }
            throw error
        }
        return (sealed, Self.joined(promises))
    }

    private func takeFinished(_ done: inout Int, _ promises: inout [EventLoopPromise<Void>]) {
        while done < writes.count, writes[done].bytes.readableBytes == 0 {
            if let promise = writes[done].promise { promises.append(promise) }
            done += 1
        }
    }

    private static func joined(_ promises: [EventLoopPromise<Void>]) -> EventLoopPromise<Void>? {
        guard let first = promises.first else { return nil }
        for promise in promises.dropFirst() { first.futureResult.cascade(to: promise) }
        return first
    }
}

/// How large the next record is. A record can be opened only when it is there as a whole: the first ones fit into a packet each, so that
/// a browser can begin at once; later ones are full, which costs least.
struct RecordSizes {
    /// What a TCP segment over Ethernet and IPv6 holds, less options and the overhead of TLS.
    static let smallest = 1369
    private(set) var current = Self.smallest

    mutating func sent(_ count: Int) {
        guard current < TLSEngine.maximumRecord, count >= current else { return }
        current = min(current + Self.smallest, TLSEngine.maximumRecord)
    }
}

extension ByteBuffer {
    /// Appends `plaintext` as one record.
    fileprivate mutating func seal(_ plaintext: ByteBufferView, _ engine: TLSEngine) throws(TLSError) {
        var failure: TLSError?
        writeWithUnsafeMutableBytes(minimumWritableBytes: plaintext.count + TLSEngine.recordOverhead) { output in
            plaintext.withUnsafeBytes { plaintext in
                do throws(TLSError) { return try engine.write(plaintext, into: output) } catch {
                    failure = error
                    return 0
                }
            }
        }
        if let failure { throw failure }
    }
}
