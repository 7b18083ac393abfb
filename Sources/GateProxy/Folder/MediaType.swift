/// What the content of a file is, by the ending of its name.
struct MediaType: Hashable {
    /// As `Content-Type` has it.
    let name: String
    /// Its format is compressed already: no `.br` or `.gz` is looked for beside it.
    let isCompressed: Bool

    static let unknown = MediaType(name: "application/octet-stream", isCompressed: false)

    /// - Parameter path: upper and lower case are the same.
    init(ofFile path: String) {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), let known = Self.table[name[name.index(after: dot)...].lowercased()]
        else {
            self = .unknown
            return
        }
        self = known
    }

    private init(name: String, isCompressed: Bool) {
        self.name = name
        self.isCompressed = isCompressed
    }

    /// The registered types (IANA), text as UTF-8.
    private static let table: [String: MediaType] = {
        let plain = [
            "html htm": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js mjs cjs": "text/javascript; charset=utf-8",
            "json map": "application/json", "jsonld": "application/ld+json", "geojson": "application/geo+json",
            "webmanifest": "application/manifest+json", "txt text log conf ini": "text/plain; charset=utf-8",
            "md markdown": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8",
            "tsv": "text/tab-separated-values; charset=utf-8",
            "ics": "text/calendar; charset=utf-8", "vcf": "text/vcard; charset=utf-8", "vtt": "text/vtt; charset=utf-8",
            "xml xsl": "application/xml", "xhtml": "application/xhtml+xml", "rss": "application/rss+xml", "atom": "application/atom+xml",
            "yaml yml": "application/yaml", "toml": "application/toml", "svg": "image/svg+xml", "ico": "image/vnd.microsoft.icon",
            "bmp": "image/bmp", "tif tiff": "image/tiff", "ttf": "font/ttf", "otf": "font/otf", "ttc": "font/collection",
            "eot": "application/vnd.ms-fontobject", "wasm": "application/wasm", "pdf": "application/pdf", "rtf": "application/rtf",
            "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint", "wav": "audio/wav",
            "mid midi": "audio/midi", "m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml", "tar": "application/x-tar",
            "gltf": "model/gltf+json", "glb": "model/gltf-binary", "stl": "model/stl", "sql": "application/sql",
            "ps eps": "application/postscript",
        ]
        let compressed = [
            "png": "image/png", "jpg jpeg jfif": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
            "heic": "image/heic", "jxl": "image/jxl", "apng": "image/apng", "svgz": "image/svg+xml", "woff": "font/woff",
            "woff2": "font/woff2", "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg oga": "audio/ogg",
            "opus": "audio/opus",
            "flac": "audio/flac", "weba": "audio/webm", "mp4 m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg",
            "mov": "video/quicktime", "mpeg mpg": "video/mpeg", "avi": "video/x-msvideo", "ts": "video/mp2t", "mkv": "video/matroska",
            "zip": "application/zip", "gz tgz": "application/gzip", "br": "application/octet-stream", "bz2": "application/x-bzip2",
            "xz": "application/x-xz", "zst": "application/zstd", "7z": "application/x-7z-compressed", "rar": "application/vnd.rar",
            "jar": "application/java-archive", "epub": "application/epub+zip", "apk": "application/vnd.android.package-archive",
            "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
            "odp": "application/vnd.oasis.opendocument.presentation", "deb": "application/vnd.debian.binary-package",
        ]
        var table: [String: MediaType] = [:]
        for (entries, isCompressed) in [(plain, false), (compressed, true)] {
            for (endings, name) in entries {
                for ending in endings.split(separator: " ") { table[String(ending)] = MediaType(name: name, isCompressed: isCompressed) }
            }
        }
        return table
    }()
}
