import GateCore

/// Why bytes are no DNS message.
package struct DNSFormatFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension DNSMessage {
    /// Reads a whole message, strictly: what is left over, cut short or contradicts itself is refused.
    package init(parsing bytes: [UInt8]) throws(DNSFormatFault) {
        var reader = DNSReader(bytes: bytes)
        self.init(id: try reader.uint16())
        let flags = try reader.uint16()
        func isSet(_ bit: UInt16) -> Bool { flags >> bit & 1 == 1 }
        isResponse = isSet(15)
        operation = UInt8(flags >> 11 & 15)
        isAuthoritative = isSet(10)
        isTruncated = isSet(9)
        wantsRecursion = isSet(8)
        offersRecursion = isSet(7)
        isAuthenticated = isSet(5)
        isCheckingDisabled = isSet(4)
        code = DNSResponseCode(rawValue: flags & 15)
        let counts = (try reader.uint16(), try reader.uint16(), try reader.uint16(), try reader.uint16())
        for _ in 0..<counts.0 {
            let question = DNSQuestion(try reader.name(), DNSRecordType(rawValue: try reader.uint16()))
            guard try reader.uint16() == 1 else { throw DNSFormatFault("a question of another class") }
            questions.append(question)
        }
        guard !isTruncated else { return }
        for _ in 0..<counts.1 { if let record = try reader.record() { answers.append(record) } }
        for _ in 0..<counts.2 { if let record = try reader.record() { authorities.append(record) } }
        for _ in 0..<counts.3 { if let record = try reader.record() { additionals.append(record) } }
        guard reader.isAtEnd else { throw DNSFormatFault("bytes after the last record") }
        if let options = reader.options {
            extensions = options.extensions
            code = DNSResponseCode(rawValue: UInt16(options.upperCode) << 4 | code.rawValue)
        }
    }
}

/// A place in a message. Every read is bounded by the message's end, every name by 255 bytes, and a compression pointer leads
/// backwards only (RFC 1035 §4.1.4): there is no loop.
private struct DNSReader {
    let bytes: [UInt8]
    var position = 0
    var options: (extensions: DNSExtensions, upperCode: UInt8)?

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() throws(DNSFormatFault) -> UInt8 {
        guard position < bytes.count else { throw DNSFormatFault("it ends early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func uint16() throws(DNSFormatFault) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }
    mutating func uint32() throws(DNSFormatFault) -> UInt32 { UInt32(try uint16()) << 16 | UInt32(try uint16()) }

    mutating func bytes(_ count: Int) throws(DNSFormatFault) -> [UInt8] {
        guard count >= 0, count <= bytes.count - position else { throw DNSFormatFault("it ends early") }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func name() throws(DNSFormatFault) -> DNSName {
        var labels: [[UInt8]] = []
        var size = 1
        // Where reading goes on after the first pointer.
        var end: Int?
        // A pointer leads to before the piece that holds it.
        var pieceStart = position
        while true {
            let length = try byte()
            switch length >> 6 {
            case 0 where length == 0:
                if let end { position = end }
                guard let name = DNSName(labels: labels) else { throw DNSFormatFault("a name that is none") }
                return name
            case 0:
                size += Int(length) + 1
                guard size <= DNSName.sizeLimit else { throw DNSFormatFault("a name of more than 255 bytes") }
                labels.append(try bytes(Int(length)))
            case 3:
                let target = Int(length & 63) << 8 | Int(try byte())
                guard target < pieceStart else { throw DNSFormatFault("a compression pointer that does not lead back") }
                if end == nil { end = position }
                position = target
                pieceStart = target
            default: throw DNSFormatFault("a label of an unknown kind")
            }
        }
    }

    /// `nil` for the OPT record, and for records of other classes.
    mutating func record() throws(DNSFormatFault) -> DNSRecord? {
        let name = try name()
        let type = DNSRecordType(rawValue: try uint16())
        let recordClass = try uint16()
        let timeToLive = try uint32()
        let size = Int(try uint16())
        let end = position + size
        guard end <= bytes.count else { throw DNSFormatFault("a record that is longer than the message") }
        if type == .opt {
            guard name == .root, options == nil else { throw DNSFormatFault("a second or misplaced OPT record") }
            try readOptions(payloadSize: recordClass, fields: timeToLive, until: end)
            return nil
        }
        guard recordClass == 1 else {
            position = end
            return nil
        }
        let data = try content(type, size, until: end)
        guard position == end else { throw DNSFormatFault("\(type) data of a wrong length") }
        // RFC 2181 §8: the first bit makes it zero.
        return DNSRecord(name, type, timeToLive: timeToLive > Int32.max ? 0 : timeToLive, data)
    }

    private mutating func content(_ type: DNSRecordType, _ size: Int, until end: Int) throws(DNSFormatFault) -> DNSRecord.Content {
        switch type {
        case .a:
            return .address(IPAddress(ipv4: try uint32()))
        case .aaaa:
            let high = UInt64(try uint32()) << 32 | UInt64(try uint32())
            let low = UInt64(try uint32()) << 32 | UInt64(try uint32())
            return .address(IPAddress(high: high, low: low))
        case .cname, .ns:
            return .name(try name())
        case .soa:
            return .startOfAuthority(
                DNSStartOfAuthority(
                    primary: try name(), mailbox: try name(), serial: try uint32(), refresh: try uint32(), retry: try uint32(),
                    expire: try uint32(), minimum: try uint32()))
        case .txt:
            var strings: [[UInt8]] = []
            while position < end { strings.append(try bytes(Int(try byte()))) }
            return .text(strings)
        case .caa:
            let flags = try byte()
            let tagLength = Int(try byte())
            guard tagLength > 0, tagLength <= size - 2 else { throw DNSFormatFault("a CAA record without a tag") }
            let tag = String(decoding: try bytes(tagLength), as: UTF8.self)
            guard tag.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
                throw DNSFormatFault("a CAA tag of other than letters and digits")  // RFC 8659 §4.1
            }
            let value = String(decoding: try bytes(size - 2 - tagLength), as: UTF8.self)
            return .caa(CAARecord(isCritical: flags & 0x80 != 0, tag: tag.lowercased(), value: value))
        default:
            return .other(try bytes(size))
        }
    }

    private mutating func readOptions(payloadSize: UInt16, fields: UInt32, until end: Int) throws(DNSFormatFault) {
        var extensions = DNSExtensions()
        extensions.payloadSize = payloadSize
        extensions.version = UInt8(truncatingIfNeeded: fields >> 16)
        while position < end {
            let code = try uint16()
            let content = try bytes(Int(try uint16()))
            guard position <= end else { throw DNSFormatFault("an option that is longer than its record") }
            guard code == 15, content.count >= 2 else { continue }
            let text = String(decoding: content.dropFirst(2), as: UTF8.self).unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
            extensions.errors.append(
                DNSExtendedError(code: UInt16(content[0]) << 8 | UInt16(content[1]), text: String(String.UnicodeScalarView(text))))
        }
        guard position == end else { throw DNSFormatFault("options of a wrong length") }
        options = (extensions, UInt8(fields >> 24))
    }
}
