//! The members of a gzip file, one after the other, as `gunzip` reads them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// With this byte each member begins.
const FIRST_BYTE: u8 = 0x1f;

/// Unpacks all members. Zeros after a member are padding, as tapes and block devices leave it; anything else that is not a
/// member is an error.
pub(super) struct GzipMembers<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    pub(super) fn new(file: R) -> GzipMembers<R> {
        GzipMembers { member: Some(GzDecoder::new(file)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(ended) = self.member.take() else { break };
            let mut file = ended.into_inner();
            if skip_zeros(&mut file)? {
                self.member = Some(GzDecoder::new(file));
            }
        }
        Ok(0)
    }
}

/// Goes past zeros; whether a member follows them.
fn skip_zeros(file: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = match file.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let next = bytes.get(zeros).copied();
        file.consume(zeros);
        match next {
            None => {}
            Some(FIRST_BYTE) => return Ok(true),
            Some(_) => {
                let reason = "there are other data after the end of the gzip stream";
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        }
    }
}
