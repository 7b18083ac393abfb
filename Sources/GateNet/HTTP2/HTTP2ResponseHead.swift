import GateHTTP
import NIOHPACK
import NIOHTTP1

/// The field section of a response while it is made (RFC 9113 §8.3.2).
struct HTTP2ResponseHead {
    /// What a field section may have, in bytes before compression: NIO writes it as one HEADERS frame, of which every client takes 16 KiB
    /// (RFC 9113 §4.2), and Huffman's code makes no text longer that is not made for it.
    private static let sizeLimit = 15 << 10

    private(set) var section = HPACKHeaders()
    private var size = 0

    var isWithinLimit: Bool { size <= Self.sizeLimit }

    init() {}

    /// - Parameter status: of three digits.
    init(status: String) { section.add(name: ":status", value: status, indexing: .indexable) }

    /// Adds what the connection has to say.
    mutating func finish(length: Int?, id: RequestID, date: String, _ index: inout HTTP2FieldIndex) {
        if let length { section.add(name: "content-length", value: String(length), indexing: .nonIndexable) }
        let id = id.description
        section.add(name: "x-request-id", value: id, indexing: index.indexing(of: .requestID, id))
        section.add(name: "date", value: date, indexing: .nonIndexable)
    }

    mutating func reserveCapacity(_ count: Int) { section.reserveCapacity(count) }

    /// The field section behind a body; `nil` where there is none.
    static func trailers(_ fields: HTTPHeaders?) -> HPACKHeaders? {
        guard let fields else { return nil }
        var trailers = HTTP2ResponseHead()
        // They come once, behind the head of their response, and the connection's table is not theirs to fill.
        var index = HTTP2FieldIndex(capacity: 0)
        for (name, value) in TrailerFields.sendable(fields) {
            guard trailers.add(name, value, &index), trailers.isWithinLimit else { return nil }
        }
        return trailers.section.isEmpty ? nil : trailers.section
    }

    /// - Returns: Whether it may be in a field section.
    mutating func add(_ name: String, _ value: String, _ index: inout HTTP2FieldIndex) -> Bool {
        guard value.withOctets({ Octet.endOfFieldContent($0, from: 0) == $0.count }) ?? false else { return false }
        return name.withOctets { name in
            guard !name.isEmpty, name.allSatisfy(Octet.isToken) else { return false }
            take(name, value, &index)
            return true
        } ?? false
    }

    /// - Returns: Whether all of them may be in a field section.
    mutating func add(_ lines: ArraySlice<UInt8>, _ index: inout HTTP2FieldIndex) -> Bool {
        lines.withUnsafeBytes { lines in
            var place = 0
            // What a line is read up to is there then.
            guard lines.isEmpty || lines.suffix(2).elementsEqual([Octet.cr, Octet.lf]) else { return false }
            while place < lines.count {
                guard let line = try? FieldLine(lines, &place) else { return false }
                take(line.name, String(decoding: line.value, as: UTF8.self), &index)
            }
            return true
        }
    }

    private mutating func take(_ name: UnsafeRawBufferPointer, _ value: String, _ index: inout HTTP2FieldIndex) {
        let known = HTTP2KnownField.find(name)
        if let known, known.treatment == .leftOut { return }
        size += name.count + value.utf8.count + 4
        if let known {
            section.add(name: known.name, value: value, indexing: index.indexing(of: known, value))
        } else {
            let lowercased = String(unsafeUninitializedCapacity: name.count) { target in
                for (place, octet) in name.enumerated() { target[place] = Octet.lowercased(octet) }
                return name.count
            }
            section.add(name: lowercased, value: value, indexing: .nonIndexable)
        }
    }
}
