package import GateCore

/// The type of a record (RFC 1035 §3.2.2 and later); those that are read here have names.
package struct DNSRecordType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = DNSRecordType(rawValue: 1)
    package static let ns = DNSRecordType(rawValue: 2)
    package static let cname = DNSRecordType(rawValue: 5)
    package static let soa = DNSRecordType(rawValue: 6)
    package static let txt = DNSRecordType(rawValue: 16)
    package static let aaaa = DNSRecordType(rawValue: 28)
    static let opt = DNSRecordType(rawValue: 41)
    package static let caa = DNSRecordType(rawValue: 257)

    package var description: String {
        switch self {
        case .a: "A"
        case .ns: "NS"
        case .cname: "CNAME"
        case .soa: "SOA"
        case .txt: "TXT"
        case .aaaa: "AAAA"
        case .opt: "OPT"
        case .caa: "CAA"
        default: "TYPE\(rawValue)"  // RFC 3597 §5
        }
    }
}

/// A record of class IN.
package struct DNSRecord: Hashable, Sendable {
    package var name: DNSName
    package var type: DNSRecordType
    /// In seconds.
    package var timeToLive: UInt32
    package var data: Content

    package enum Content: Hashable, Sendable {
        /// A or AAAA.
        case address(IPAddress)
        /// CNAME or NS.
        case name(DNSName)
        case startOfAuthority(DNSStartOfAuthority)
        case caa(CAARecord)
        /// TXT: its strings of up to 255 bytes each.
        case text([[UInt8]])
        /// The bytes of any other type.
        case other([UInt8])
    }

    package init(_ name: DNSName, _ type: DNSRecordType, timeToLive: UInt32, _ data: Content) {
        self.name = name
        self.type = type
        self.timeToLive = timeToLive
        self.data = data
    }

    package var address: IPAddress? { if case .address(let address) = data { address } else { nil } }
    package var target: DNSName? { if case .name(let name) = data { name } else { nil } }
    package var caa: CAARecord? { if case .caa(let record) = data { record } else { nil } }
}

/// SOA (RFC 1035 §3.3.13). In a negative answer it tells the zone and how long the answer holds (RFC 2308 §5).
package struct DNSStartOfAuthority: Hashable, Sendable {
    package var primary: DNSName
    package var mailbox: DNSName
    package var serial: UInt32
    package var refresh: UInt32
    package var retry: UInt32
    package var expire: UInt32
    package var minimum: UInt32
}

/// CAA (RFC 8659 §4.1).
package struct CAARecord: Hashable, Sendable {
    package var isCritical: Bool
    /// In lower case: `issue`, `issuewild`, `iodef` or another.
    package var tag: String
    package var value: String

    package init(isCritical: Bool = false, tag: String, value: String) {
        self.isCritical = isCritical
        self.tag = tag
        self.value = value
    }
}
