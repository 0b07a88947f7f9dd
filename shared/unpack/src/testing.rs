//! Compressed bytes and archives, for the tests.

use std::io::{self, Read, Write as _};

use crate::form::Packing;

/// A text, compressed as one member.
pub(crate) fn packed(packing: Packing, text: &[u8]) -> Vec<u8> {
    let bytes = Vec::new();
    let written = match packing {
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(bytes, flate2::Compression::fast());
            encoder.write_all(text).and_then(|()| encoder.finish())
        }
        Packing::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(bytes, bzip2::Compression::fast());
            encoder.write_all(text).and_then(|()| encoder.finish())
        }
        Packing::Xz => {
            let options = lzma_rust2::XzOptions::with_preset(0);
            let mut encoder = lzma_rust2::XzWriter::new(bytes, options).expect("options");
            encoder.write_all(text).and_then(|()| encoder.finish())
        }
        Packing::Zstd => {
            let mut encoder = zstd::Encoder::new(bytes, 1).expect("a level");
            encoder.include_checksum(true).expect("a checksum");
            encoder.write_all(text).and_then(|()| encoder.finish())
        }
        Packing::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(bytes);
            encoder.write_all(text).and_then(|()| encoder.finish().map_err(Into::into))
        }
    };
    written.expect("in memory")
}

/// Files in one, as tar.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(match name.ends_with('/') {
            true => ::tar::EntryType::Directory,
            false => ::tar::EntryType::Regular,
        });
        archive.append_data(&mut header, name, *content).expect("in memory");
    }
    archive.into_inner().expect("in memory")
}

/// Files in one, as zip.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = ::zip::write::SimpleFileOptions::default();
        match name.strip_suffix('/') {
            Some(folder) => archive.add_directory(folder, options).expect("in memory"),
            None => {
                archive.start_file(*name, options).expect("in memory");
                archive.write_all(content).expect("in memory");
            }
        }
    }
    archive.finish().expect("in memory").into_inner()
}

/// Gives a few bytes at a time, as a pipe does.
pub(crate) struct Slowly<'a>(pub(crate) &'a [u8], pub(crate) usize);

impl Read for Slowly<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(to.len());
        self.0.read(&mut to[..count])
    }
}
